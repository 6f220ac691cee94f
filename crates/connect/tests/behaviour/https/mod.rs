//! What HTTPS must do besides the suite: ways to sign in, servers without ranges, cut lines, servers that lie.

use std::time::Duration;

use bailee_connect::{
    Connector, ConnectorSpec, FaultKind, HttpAuth, HttpsConfig, HttpsMethod, ProbeOptions,
    ReadFrom, Result, WriteOptions, open, probe,
};
use bytes::Bytes;
use futures::TryStreamExt;

use super::cutting::{Cutting, put_until_done, take_until_done};
use super::fakes::{Fake, answer, endless, raw};
use super::peers::Peer;
use super::{bytes, guard, kind, path, put, suite, take};

fn basic() -> HttpAuth {
    HttpAuth::Basic {
        user: "acme".to_owned(),
        password: "open sesame".into(),
    }
}

fn config(peer: &Peer, port: u16, at: &str) -> HttpsConfig {
    HttpsConfig {
        auth: basic(),
        can_write: true,
        tls: peer.tls(),
        ..HttpsConfig::new(Peer::url(port, at))
    }
}

async fn opened(config: HttpsConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::Https(config), &guard()).await
}

/// A connector to a fake.
async fn faked(url: &url::Url) -> Box<dyn Connector> {
    let config = HttpsConfig {
        can_write: true,
        ..HttpsConfig::new(url.clone())
    };
    opened(config).await.unwrap()
}

#[tokio::test]
async fn the_suite_holds_for_nginx() {
    let peer = Peer::nginx();
    let far = opened(config(&peer, peer.port, "/basic")).await.unwrap();
    let can = far.capabilities();
    assert!(can.can_write && can.can_remove && can.can_read_at);
    assert!(!can.can_write_at && !can.appears_whole && !can.can_list && !can.can_rename);
    suite(far.as_ref()).await;
    let strange = "ä b+%.csv";
    put(far.as_ref(), strange, Bytes::from_static(b"12345")).await;
    assert!(peer.files().join(strange).exists());
    assert_eq!(take(far.as_ref(), strange, 2).await.unwrap(), b"345");
    for fault in [
        far.rename(&path("a"), &path("b"), bailee_connect::Replace::Yes)
            .await
            .unwrap_err(),
        far.mkdir(&path("a")).await.unwrap_err(),
        far.list(&path("/"), 5).await.unwrap_err(),
    ] {
        assert_eq!(fault.kind(), &FaultKind::Unsupported);
    }
}

#[tokio::test]
async fn each_way_to_sign_in_is_taken_and_a_wrong_one_is_said() {
    let peer = Peer::nginx();
    std::fs::write(peer.files().join("there"), b"content").unwrap();
    let header = |value: &str| HttpAuth::Header {
        name: "X-Api-Key".to_owned(),
        value: value.into(),
    };
    for (at, auth) in [
        ("/bearer", HttpAuth::Bearer("open-sesame".into())),
        ("/header", header("open-sesame")),
        ("/basic", basic()),
    ] {
        let wish = HttpsConfig {
            auth,
            ..config(&peer, peer.port, at)
        };
        let far = opened(wish).await.unwrap();
        assert_eq!(take(far.as_ref(), "there", 0).await.unwrap(), b"content");
    }
    let mutual = HttpsConfig {
        auth: HttpAuth::None,
        tls: peer.mutual_tls(),
        ..config(&peer, peer.port, "/mutual")
    };
    let far = opened(mutual.clone()).await.unwrap();
    assert_eq!(take(far.as_ref(), "there", 0).await.unwrap(), b"content");
    let wrong = HttpAuth::Basic {
        user: "acme".to_owned(),
        password: "canary-7".into(),
    };
    let with = |at, auth| HttpsConfig {
        auth,
        ..config(&peer, peer.port, at)
    };
    for refused in [
        with("/basic", wrong),
        with("/basic", HttpAuth::None),
        with("/bearer", HttpAuth::Bearer("canary-7".into())),
        with("/header", header("canary-7")),
        HttpsConfig {
            tls: peer.tls(),
            ..mutual
        },
    ] {
        assert!(!format!("{refused:?}").contains("canary"));
        let fault = opened(refused).await.err().unwrap();
        assert_eq!(fault.kind(), &FaultKind::AuthFailed, "{fault:?}");
        assert!(!format!("{fault:?}").contains("canary"));
    }
    let untrusting = HttpsConfig {
        tls: bailee_connect::TlsOptions::default(),
        ..config(&peer, peer.port, "/basic")
    };
    assert_eq!(
        kind(opened(untrusting).await),
        FaultKind::CertificateInvalid
    );
}

#[tokio::test]
async fn a_server_without_ranges_gives_the_right_bytes_and_a_packing_one_none() {
    let peer = Peer::nginx();
    let content = bytes(700_000);
    for name in ["plain.bin", "stored.gz"] {
        std::fs::write(peer.files().join(name), &content).unwrap();
    }
    let far = opened(config(&peer, peer.port, "/whole")).await.unwrap();
    for offset in [0, 1, 65_536, 699_999, 700_000, 700_001] {
        let rest = content.get(offset..).unwrap_or_default();
        let taken = take(far.as_ref(), "plain.bin", offset as u64)
            .await
            .unwrap();
        assert!(taken == rest, "from {offset}");
    }
    let far = opened(config(&peer, peer.port, "/packed")).await.unwrap();
    for offset in [0, 5] {
        let fault = take(far.as_ref(), "plain.bin", offset).await.unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::Unsupported, "{fault:?}");
        let stored = take(far.as_ref(), "stored.gz", offset).await.unwrap();
        assert!(stored == content.slice(offset as usize..));
    }
}

#[tokio::test]
async fn a_file_gets_there_over_a_line_that_is_cut() {
    let peer = Peer::nginx();
    let content = bytes(3_000_000);
    for seed in [1, 2, 3] {
        let line = Cutting::start(peer.port, seed, 12, 0..3_000_000).await;
        let spec = ConnectorSpec::Https(config(&peer, line.port, "/basic"));
        let tries = put_until_done(&spec, "cut.bin", &content).await;
        assert!(line.cuts() > 0 && tries > 1, "nothing was cut");
        let line = Cutting::start(peer.port, seed + 100, 12, 0..1_000_000).await;
        let spec = ConnectorSpec::Https(config(&peer, line.port, "/basic"));
        assert!(take_until_done(&spec, "cut.bin").await == content);
        assert!(line.cuts() > 0);
    }
    assert_eq!(std::fs::read_dir(peer.files()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_write_that_is_given_up_is_never_taken_for_the_whole() {
    let peer = Peer::nginx();
    let far = opened(config(&peer, peer.port, "/basic")).await.unwrap();
    for size_hint in [None, Some(2_000_000)] {
        let options = WriteOptions {
            size_hint,
            ..WriteOptions::default()
        };
        let mut writer = far.write(&path("half"), options.clone()).await.unwrap();
        writer.write(bytes(1_000_000)).await.unwrap();
        drop(writer);
        let mut writer = far.write(&path("short"), options).await.unwrap();
        writer.write(bytes(1_000_000)).await.unwrap();
        if size_hint.is_some() {
            assert_eq!(kind(writer.finish().await), FaultKind::Invalid);
        }
    }
    // Another whole write on the same server is an event after which the torn ones are over.
    put(far.as_ref(), "whole", bytes(1_000_000)).await;
    assert_eq!(far.stat(&path("half")).await.unwrap(), None);
    assert_eq!(far.stat(&path("short")).await.unwrap(), None);
    let late = WriteOptions {
        offset: 5,
        ..WriteOptions::default()
    };
    assert_eq!(
        kind(far.write(&path("half"), late).await),
        FaultKind::OffsetBeyondEnd
    );
    let far = opened(config(&peer, peer.port, "/refused")).await.unwrap();
    let mut writer = far
        .write(&path("x"), WriteOptions::default())
        .await
        .unwrap();
    let refused = match writer.write(bytes(9_000_000)).await {
        Ok(()) => writer.finish().await.err(),
        Err(fault) => Some(fault),
    };
    let refused = refused.unwrap();
    // nginx may hang up before its answer has been read.
    assert!(
        refused.kind() == &FaultKind::PermissionDenied || refused.is_transient(),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_probe_tests_what_the_server_can() {
    let peer = Peer::nginx();
    let options = ProbeOptions {
        folder: path("/"),
        file_name: Some(".bailee-probe".to_owned()),
    };
    let spec = ConnectorSpec::Https(config(&peer, peer.port, "/basic"));
    let report = probe(spec, &guard(), &options).await;
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["resolve", "sign_in", "write", "read", "delete"],
        "{report:?}"
    );
    assert!(report.is_ok(), "{report:?}");
    let only_reads = HttpsConfig {
        can_write: false,
        ..config(&peer, peer.port, "/basic")
    };
    let report = probe(ConnectorSpec::Https(only_reads), &guard(), &options).await;
    assert_eq!((report.steps.len(), report.is_ok()), (2, true));
}

#[tokio::test]
async fn redirects_are_not_followed_and_waits_are_passed_on() {
    let inside = Fake::start(|_| answer(200, &[], "inside")).await;
    let place = inside.url.to_string();
    let fake = Fake::start(move |request| match request.uri().path() {
        "/moved" => answer(302, &[("location", &place)], ""),
        "/busy" => answer(503, &[("retry-after", "7")], "later"),
        "/early" => answer(
            413,
            &[("x-early", "1"), ("connection", "close")],
            "too much",
        ),
        _ => answer(200, &[], ""),
    })
    .await;
    let far = faked(&fake.url).await;
    let fault = take(far.as_ref(), "moved", 0).await.unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::Protocol, "{fault:?}");
    assert!(far.stat(&path("moved")).await.is_err());
    assert_eq!(inside.requests(), 0);
    let fault = take(far.as_ref(), "busy", 0).await.unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::Busy);
    assert_eq!(fault.wait(), Some(Duration::from_secs(7)));
    assert!(fault.message().contains("later"));
    let mut writer = far
        .write(&path("early"), WriteOptions::default())
        .await
        .unwrap();
    let mut refused = None;
    for _ in 0..200 {
        if let Err(fault) = writer.write(bytes(1_000_000)).await {
            refused = Some(fault);
            break;
        }
    }
    let refused = refused.unwrap();
    assert!(
        refused.kind() == &FaultKind::OutOfSpace || refused.is_transient(),
        "{refused:?}"
    );
}

#[tokio::test]
async fn lies_about_ranges_and_lengths_are_found() {
    let fake = Fake::start(|request| {
        let part = |range| {
            answer(
                206,
                &[("content-range", range), ("etag", "\"a\"")],
                "0123456789",
            )
        };
        match request.uri().path() {
            "/other-start" => part("bytes 4-13/14"),
            "/too-few" => part("bytes 5-99/100"),
            "/too-many" => part("bytes 5-9/10"),
            "/only-some" => part("bytes 5-14/100"),
            "/no-range" => answer(206, &[], "0123456789"),
            "/contradicts" => answer(416, &[("content-range", "bytes */100")], ""),
            _ => answer(200, &[("etag", "\"a\"")], "0123456789"),
        }
    })
    .await;
    let far = faked(&fake.url).await;
    for (name, expected) in [
        ("other-start", FaultKind::Protocol),
        ("too-few", FaultKind::ConnectionLost),
        ("too-many", FaultKind::Protocol),
        ("only-some", FaultKind::ConnectionLost),
        ("no-range", FaultKind::Protocol),
        ("contradicts", FaultKind::Protocol),
    ] {
        assert_eq!(kind(take(far.as_ref(), name, 5).await), expected, "{name}");
    }
    assert_eq!(take(far.as_ref(), "plain", 8).await.unwrap(), b"89");
    // Heeds no condition, but tells what it sends.
    for offset in [0, 3] {
        let from = ReadFrom {
            offset,
            version: Some("\"b\"".to_owned()),
        };
        assert_eq!(
            kind(far.read(&path("plain"), from).await),
            FaultKind::Changed
        );
    }
    let short = raw("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello", false).await;
    let fault = take(faked(&short).await.as_ref(), "x", 0)
        .await
        .unwrap_err();
    assert!(fault.is_transient(), "{fault:?}");
    let flood = Fake::start(|_| endless(500, b"x", b"y")).await;
    let fault = take(faked(&flood.url).await.as_ref(), "x", 0)
        .await
        .unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::Busy);
}

#[tokio::test]
async fn a_post_hands_the_body_over_and_asks_nothing_more() {
    let fake = Fake::start(|request| match request.method().as_str() {
        "POST" => answer(202, &[], ""),
        "HEAD" if request.uri().path() == "/" => answer(404, &[], ""),
        _ => answer(500, &[], ""),
    })
    .await;
    let config = HttpsConfig {
        can_write: true,
        method: HttpsMethod::Post,
        ..HttpsConfig::new(fake.url.clone())
    };
    let far = opened(config).await.unwrap();
    assert!(!far.capabilities().can_remove);
    put(far.as_ref(), "inbox", bytes(500_000)).await;
}

#[tokio::test]
async fn silence_ends_in_a_timeout() {
    let head = raw("", true).await;
    let body = raw("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello", true).await;
    let no_head = opened(HttpsConfig::new(head));
    let no_body = async {
        let far = faked(&body).await;
        let stream = far.read(&path("x"), ReadFrom::default()).await?;
        stream.try_collect::<Vec<_>>().await
    };
    let no_taker = async {
        let far = faked(&body).await;
        let mut writer = far.write(&path("x"), WriteOptions::default()).await?;
        // Answered at once with a head, so the rest may end in either way; but it ends.
        for _ in 0..500 {
            writer.write(bytes(1_000_000)).await?;
        }
        writer.finish().await
    };
    let (head, body, taker) = tokio::join!(no_head, no_body, no_taker);
    for fault in [head.err(), body.err(), taker.err()] {
        let fault = fault.unwrap();
        assert!(
            fault.is_transient() || fault.kind() == &FaultKind::Protocol,
            "{fault:?}"
        );
    }
}
