//! Remotes that fail in a row: transfers wait, one tries for all, and all go on.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod bank;
#[expect(dead_code, reason = "each of these tests needs another part of it")]
mod site;

use std::time::Duration;

use bailee_core::NewTransfer;
use bailee_core::model::{RetryRule, TransferOutcome, TransferState, WaitReason, limit};
use bank::bank;
use bank::sshd::Sshd;
use site::{Line, Site, names, transfer};
use tokio::net::TcpListener;

const DRAIN: Duration = Duration::from_secs(10);

/// A transfer that has one try only.
fn once(to: &str) -> NewTransfer {
    NewTransfer {
        retry: RetryRule {
            max_attempts: 1,
            ..RetryRule::default()
        },
        ..transfer("a", to)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tries_for_all_when_a_minute_is_over() {
    let site = Site::new().await;
    let server = Sshd::start("");
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    bank(&site, &server, port).await;
    site.put("a", b"a").await;
    let engine = site.start("one");
    for number in 0..limit::CIRCUIT_FAILURES {
        let failed = site.moved(once(&format!("bank:/{number}"))).await;
        assert_eq!(failed.attempt, 1);
    }
    let waits = |transfer: &bailee_core::model::Transfer| {
        transfer.state == TransferState::Queued && transfer.waits_for == Some(WaitReason::Remote)
    };
    let first = site.submit(once("bank:/first")).await;
    assert_eq!(site.until(first, waits).await.attempt, 0);
    // A minute later it tries, in vain, and nobody else does.
    site.pass(limit::CIRCUIT_WAIT + Duration::from_secs(1));
    let failed = site.ended(first).await;
    assert_eq!(failed.attempt, 1, "{:?}", failed.fault);
    let (second, third) = (once("bank:/second"), once("bank:/third"));
    let (second, third) = (site.submit(second).await, site.submit(third).await);
    site.until(second, waits).await;
    site.until(third, waits).await;
    // It is back: one finds out, and the other need not wait for its own minute.
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let _line = Line::by(listener, server.port, (None, None));
    site.pass(limit::CIRCUIT_WAIT + Duration::from_secs(1));
    for id in [second, third] {
        let done = site.ended(id).await;
        assert_eq!(
            done.outcome,
            Some(TransferOutcome::Succeeded),
            "{:?}",
            done.fault
        );
    }
    assert_eq!(names(&server.files()), ["second", "third"]);
    assert!(engine.drain(DRAIN).await);
}
