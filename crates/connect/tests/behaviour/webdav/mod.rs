//! What WebDAV must do besides the suite, against WsgiDAV and against servers that lie.

use std::time::Duration;

use bailee_connect::{
    Connector, ConnectorSpec, FaultKind, HttpAuth, ProbeOptions, Replace, Result, WebdavConfig,
    open, probe,
};
use bytes::Bytes;

use super::cutting::{Cutting, put_until_done, take_until_done};
use super::fakes::{Fake, answer, endless};
use super::peers::Peer;
use super::{bytes, guard, kind, path, put, suite, take};

fn config(peer: &Peer, port: u16) -> WebdavConfig {
    WebdavConfig {
        auth: HttpAuth::Basic {
            user: "acme".to_owned(),
            password: "open sesame".into(),
        },
        tls: peer.tls(),
        ..WebdavConfig::new(Peer::url(port, "/dav"))
    }
}

async fn opened(config: WebdavConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::Webdav(config), &guard()).await
}

#[tokio::test]
async fn the_suite_holds_for_wsgidav() {
    let peer = Peer::wsgidav();
    let far = opened(config(&peer, peer.port)).await.unwrap();
    let can = far.capabilities();
    assert!(can.has_folders && can.can_list && can.can_copy && can.can_rename);
    assert!(!can.can_write_at && !can.appears_whole && !can.replaces_atomically);
    suite(far.as_ref()).await;
}

#[tokio::test]
async fn a_folder_is_never_removed_or_replaced_with_what_it_holds() {
    let peer = Peer::wsgidav();
    let far = opened(config(&peer, peer.port)).await.unwrap();
    far.mkdir(&path("full")).await.unwrap();
    put(far.as_ref(), "full/kept", Bytes::from_static(b"kept")).await;
    put(far.as_ref(), "file", Bytes::from_static(b"file")).await;
    assert_eq!(kind(far.remove(&path("full")).await), FaultKind::Invalid);
    let (file, full) = (path("file"), path("full"));
    for replace in [Replace::Yes, Replace::No] {
        assert_eq!(
            kind(far.rename(&file, &full, replace).await),
            FaultKind::Exists
        );
        assert_eq!(
            kind(far.copy(&file, &full, replace).await),
            FaultKind::Exists
        );
        assert_eq!(
            kind(far.rename(&full, &file, replace).await),
            FaultKind::Exists
        );
    }
    assert_eq!(take(far.as_ref(), "full/kept", 0).await.unwrap(), b"kept");
    far.rename(&full, &path("moved"), Replace::No)
        .await
        .unwrap();
    assert_eq!(take(far.as_ref(), "moved/kept", 0).await.unwrap(), b"kept");
    assert_eq!(kind(far.list(&file, 5).await), FaultKind::NotFound);
}

#[tokio::test]
async fn a_file_gets_there_over_a_line_that_is_cut() {
    let peer = Peer::wsgidav();
    let content = bytes(2_000_000);
    for seed in [1, 2] {
        let line = Cutting::start(peer.port, seed, 10, 0..2_000_000).await;
        let spec = ConnectorSpec::Webdav(config(&peer, line.port));
        let tries = put_until_done(&spec, "cut.bin", &content).await;
        assert!(line.cuts() > 0 && tries > 1, "nothing was cut");
        let line = Cutting::start(peer.port, seed + 100, 10, 0..1_000_000).await;
        let spec = ConnectorSpec::Webdav(config(&peer, line.port));
        assert!(take_until_done(&spec, "cut.bin").await == content);
        assert!(line.cuts() > 0);
    }
    assert_eq!(std::fs::read_dir(peer.files()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_probe_shows_each_step_and_a_wrong_credential() {
    let peer = Peer::wsgidav();
    let options = ProbeOptions {
        folder: path("/"),
        file_name: Some(".bailee-probe".to_owned()),
    };
    let good = config(&peer, peer.port);
    let report = probe(ConnectorSpec::Webdav(good.clone()), &guard(), &options).await;
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["resolve", "sign_in", "list", "write", "read", "delete"],
        "{report:?}"
    );
    assert!(report.is_ok(), "{report:?}");
    let wrong = WebdavConfig {
        auth: HttpAuth::Basic {
            user: "acme".to_owned(),
            password: "canary-8".into(),
        },
        ..good.clone()
    };
    let fault = opened(wrong).await.err().unwrap();
    assert_eq!(fault.kind(), &FaultKind::AuthFailed);
    assert!(!format!("{fault:?}").contains("canary"));
    let elsewhere = WebdavConfig {
        base_url: Peer::url(peer.port, "/dav/none"),
        ..good
    };
    assert_eq!(kind(opened(elsewhere).await), FaultKind::NotFound);
}

const FOLDER: &str = "<propstat><prop><resourcetype><collection/></resourcetype></prop>\
    <status>HTTP/1.1 200 OK</status></propstat>";
const FILE: &str = "<propstat><prop><resourcetype/><getcontentlength>5</getcontentlength></prop>\
    <status>HTTP/1.1 200 OK</status></propstat>";

fn multi_status(responses: &[(&str, &str)]) -> String {
    let inner: Vec<_> = responses
        .iter()
        .map(|(href, inner)| format!("<response><href>{href}</href>{inner}</response>"))
        .collect();
    let inner = inner.concat();
    format!(r#"<?xml version="1.0"?><multistatus xmlns="DAV:">{inner}</multistatus>"#)
}

/// A server that lists `responses` in its base.
async fn listing(responses: &[(&str, &str)]) -> (Fake, Box<dyn Connector>) {
    let base = multi_status(&[("/", FOLDER)]);
    let all = multi_status(responses);
    let fake = Fake::start(move |request| {
        let is_deep = request
            .headers()
            .get("depth")
            .is_some_and(|depth| depth == "1");
        let body = if is_deep { &all } else { &base };
        answer(207, &[], body.clone())
    })
    .await;
    let far = opened(WebdavConfig::new(fake.url.clone())).await.unwrap();
    (fake, far)
}

#[tokio::test]
async fn names_that_are_none_are_counted_and_lead_nowhere() {
    let (_fake, far) = listing(&[
        ("/", FOLDER),
        ("/good", FILE),
        ("http://elsewhere.example/absolute", FILE),
        ("/..", FILE),
        ("/%2e%2e", FILE),
        ("/a%2Fb", FILE),
        ("/a%5Cb", FILE),
        ("/%00", FILE),
        ("/%ff", FILE),
        ("/deep/er", FILE),
        ("relative", FILE),
        ("/gone", "<status>HTTP/1.1 404 Not Found</status>"),
    ])
    .await;
    let found = far.list(&path("/"), 100).await.unwrap();
    let names: Vec<_> = found
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["absolute", "good"]);
    assert_eq!((found.unnameable_count, found.is_cut), (8, false));
}

#[tokio::test]
async fn huge_and_endless_listings_are_cut() {
    let many: Vec<_> = (0..30_000).map(|at| format!("/f{at:05}")).collect();
    let many: Vec<_> = many.iter().map(|href| (href.as_str(), FILE)).collect();
    let (_fake, far) = listing(&many).await;
    let found = far.list(&path("/"), usize::MAX).await.unwrap();
    assert_eq!((found.entries.len(), found.is_cut), (10_000, true));

    let base = multi_status(&[("/", FOLDER)]);
    let fake = Fake::start(move |request| {
        let is_deep = request.headers().get("depth").is_some_and(|depth| depth == "1");
        if is_deep {
            endless(
                207,
                br#"<multistatus xmlns="DAV:">"#,
                b"<response><href>/long-enough-to-fill-the-document-with-few-entries\
                 ----------------------------------------------------------------------------</href>\
                 <x:y xmlns:x='urn:x'>----------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 --------------------------------------------------------------------------------------\
                 </x:y><status>HTTP/1.1 200 OK</status></response>",
            )
        } else {
            answer(207, &[], base.clone())
        }
    })
    .await;
    let far = opened(WebdavConfig::new(fake.url.clone())).await.unwrap();
    let found = far.list(&path("/"), usize::MAX).await.unwrap();
    // The same name again and again is one entry.
    assert_eq!((found.entries.len(), found.is_cut), (1, true));
}

#[tokio::test]
async fn what_is_no_webdav_server_is_said() {
    let inside = Fake::start(|_| answer(207, &[], multi_status(&[("/", FOLDER)]))).await;
    let place = inside.url.to_string();
    let fake = Fake::start(move |request| match request.uri().path() {
        "/moved/" => answer(301, &[("location", &place)], ""),
        "/login/" => answer(302, &[("location", &place)], ""),
        "/html/" => answer(200, &[], "<html>Sign in</html>"),
        "/other/" => answer(207, &[], "<html>Sign in</html>"),
        "/plain/" => answer(405, &[], ""),
        "/busy/" => answer(503, &[("retry-after", "9")], ""),
        _ => answer(423, &[], ""),
    })
    .await;
    let at = |name: &str| opened(WebdavConfig::new(fake.url.join(name).unwrap()));
    for (name, expected) in [
        ("moved", FaultKind::Protocol),
        ("login", FaultKind::Protocol),
        ("html", FaultKind::Protocol),
        ("other", FaultKind::Protocol),
        ("plain", FaultKind::Unsupported),
    ] {
        assert_eq!(kind(at(name).await), expected, "{name}");
    }
    let fault = at("busy").await.err().unwrap();
    assert_eq!(fault.wait(), Some(Duration::from_secs(9)));
    assert_eq!(inside.requests(), 0);
}
