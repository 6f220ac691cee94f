//! Another Bailee as a fake that lies; the real one is met in the tests of the whole server.

use std::time::Duration;

use bailee_connect::{
    BaileeConfig, Connector, ConnectorSpec, FaultKind, Result, WriteOptions, open,
};
use hyper::Request;
use hyper::body::Incoming;

use super::fakes::{Answer, Fake, answer, endless};
use super::{bytes, guard, kind, path, take};

/// Much whitespace.
static FLOOD: [u8; 65_536] = [b' '; 65_536];

const ME: &str = r#"{"valid": true, "tenant_id": "ten_1"}"#;

fn file(id: &str, name: &str) -> String {
    format!(
        r#"{{"file_id": "{id}", "name": "{name}", "size": 5, "hash": "zz", "hash_algorithm": "sha256",
        "created_at": "2026-11-21T09:14:00.000Z", "state": "available", "type": "file"}}"#
    )
}

fn problem(status: u16, code: &str, retryable: bool) -> Answer {
    let body = format!(
        r#"{{"code": "{code}", "detail": "so it is", "retryable": {retryable}, "retry_after": 11}}"#
    );
    answer(
        status,
        &[("content-type", "application/problem+json")],
        body,
    )
}

async fn opened(fake: &Fake) -> Result<Box<dyn Connector>> {
    let config = BaileeConfig::new(fake.url.clone(), "canary-9".into());
    assert!(!format!("{config:?}").contains("canary"));
    open(ConnectorSpec::Bailee(config), &guard()).await
}

/// A server whose key is good and that answers everything else by `others`.
async fn fake(others: impl Fn(&Request<Incoming>) -> Answer + Send + Sync + 'static) -> Fake {
    Fake::start(move |request| match request.uri().path() {
        "/v1/auth/validate" => answer(200, &[], ME),
        _ => others(request),
    })
    .await
}

#[tokio::test]
async fn what_is_no_bailee_or_no_good_key_is_said() {
    for (status, body, expected) in [
        (200, "<html>", FaultKind::Protocol),
        (200, "{}", FaultKind::Protocol),
        (302, "", FaultKind::Protocol),
        (401, "{}", FaultKind::AuthFailed),
        (502, "<html>", FaultKind::Busy),
    ] {
        let fake = Fake::start(move |_| answer(status, &[], body)).await;
        let fault = opened(&fake).await.err().unwrap();
        assert_eq!(fault.kind(), &expected, "{status} {body}: {fault:?}");
        assert!(!format!("{fault:?}").contains("canary"));
    }
    let flood = Fake::start(|_| endless(200, b"{", &FLOOD)).await;
    assert_eq!(kind(opened(&flood).await), FaultKind::Protocol);
}

#[tokio::test]
async fn listings_that_loop_or_hold_strange_names_are_bounded() {
    let fake = fake(|_| {
        let names = ["a", "../b", "c/d", ""]
            .map(|name| file("fil_1", name))
            .join(",");
        let other = r#"{"type": "something_new"}"#;
        let body =
            format!(r#"{{"data": [{names}, {other}], "has_more": true, "next_cursor": "same"}}"#);
        answer(200, &[], body)
    })
    .await;
    let far = opened(&fake).await.unwrap();
    let found = far.list(&path("/"), 10_000).await.unwrap();
    assert!(found.is_cut && fake.requests() < 100, "{}", fake.requests());
    assert_eq!(found.unnameable_count, found.entries.len() * 3);
}

#[tokio::test]
async fn problems_become_faults_with_their_waits() {
    let fake = fake(|request| match request.uri().query().unwrap_or_default() {
        "path=%2Fbusy" => problem(429, "rate_limited", true),
        "path=%2Fnone" => problem(404, "not_found", false),
        "path=%2Fshort" => answer(200, &[], file("fil_short", "short")),
        "path=%2Fbare" => answer(200, &[], file("fil_bare", "bare")),
        _ => match request.uri().path() {
            "/v1/files/fil_bare/download" => {
                answer(403, &[("bailee-problem", "policy_denied")], "")
            }
            _ => answer(206, &[("content-range", "bytes 1-9/10")], "1234"),
        },
    })
    .await;
    let far = opened(&fake).await.unwrap();
    let fault = far.stat(&path("busy")).await.unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::Busy);
    assert_eq!(fault.wait(), Some(Duration::from_secs(11)));
    assert!(fault.message().contains("rate_limited: so it is"));
    assert_eq!(far.stat(&path("none")).await.unwrap(), None);
    let fault = take(far.as_ref(), "short", 1).await.unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::ConnectionLost);
    let fault = take(far.as_ref(), "bare", 0).await.unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::PermissionDenied);
    assert_eq!(kind(far.sha256(&path("short")).await), FaultKind::Protocol);
}

#[tokio::test]
async fn a_session_that_lost_or_swapped_parts_is_noticed() {
    let session = |state: &str, received: &str, bytes: u64| {
        let body = format!(
            r#"{{"session_id": "upl_1", "state": "{state}", "received": [{received}], "bytes_received": {bytes}}}"#
        );
        answer(200, &[], body)
    };
    let part = 8 * 1024 * 1024;
    let fake = fake(move |request| match request.uri().path() {
        "/v1/uploads" => session("open", "", 0),
        "/v1/uploads/short" => session("open", "0", part),
        "/v1/uploads/gap" => session("open", "0, 2", 2 * part),
        "/v1/uploads/aborted" => session("aborted", "0, 1", 2 * part),
        "/v1/uploads/good" => session("open", "0, 1, 2", 3 * part),
        "/v1/uploads/upl_1/parts/0" => answer(200, &[], r#"{"part": 0, "size": 1, "hash": ""}"#),
        _ => problem(404, "not_found", false),
    })
    .await;
    let far = opened(&fake).await.unwrap();
    let at = |session: &str, offset| WriteOptions {
        offset,
        token: Some(format!(
            r#"{{"session": "{session}", "part_bytes": {part}, "grows": true}}"#
        )),
        ..WriteOptions::default()
    };
    for (name, offset, expected) in [
        ("short", 2 * part, FaultKind::OffsetBeyondEnd),
        ("gap", 2 * part, FaultKind::OffsetBeyondEnd),
        ("good", 2 * part + 1, FaultKind::OffsetBeyondEnd),
        ("good", u64::MAX, FaultKind::OffsetBeyondEnd),
        ("aborted", 2 * part, FaultKind::NotFound),
        ("unknown", 2 * part, FaultKind::NotFound),
    ] {
        let refused = kind(far.write(&path("x"), at(name, offset)).await);
        assert_eq!(refused, expected, "{name} {offset}");
    }
    // A part behind the end of what is written now would become part of the file.
    let writer = far.write(&path("x"), at("good", 2 * part)).await.unwrap();
    assert_eq!(kind(writer.finish().await), FaultKind::OffsetBeyondEnd);
    let mut writer = far
        .write(&path("x"), WriteOptions::default())
        .await
        .unwrap();
    writer.write(bytes(500)).await.unwrap();
    assert_eq!(kind(writer.finish().await), FaultKind::Protocol);
    far.abandon(
        &path("x"),
        r#"{"session": "gone", "part_bytes": 1, "grows": false}"#,
    )
    .await
    .unwrap();
}
