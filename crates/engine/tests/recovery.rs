//! Transfers that go on: after a cut line, a stopped node, a dead one, and with two at work.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod bank;
#[expect(dead_code, reason = "each of these tests needs another part of it")]
mod site;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bailee_core::model::{JobKind, TransferState, Verify};
use bailee_core::{Begun, LeaseRequest, NewTransfer};
use bank::bank;
use bank::sshd::Sshd;
use site::{Line, Site, content, names, transfer};

const DRAIN: Duration = Duration::from_secs(10);
const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_line_costs_one_checkpoint_at_most() {
    let site = Site::new().await;
    let server = Sshd::start("");
    let size = 40 * MIB;
    let line = Line::to(server.port, Some(25 * MIB as u64), None).await;
    bank(&site, &server, line.port).await;
    let engine = site.start("one");
    let bytes = content(size);
    site.put("big.bin", &bytes).await;
    // Verified by size, so that what goes over the line is what is sent.
    let done = site
        .moved(NewTransfer {
            verify: Verify::Size,
            ..transfer("big.bin", "bank:/big.bin")
        })
        .await;
    assert_eq!(done.state, TransferState::Completed, "{:?}", done.fault);
    assert_eq!(done.attempt, 2);
    assert!(std::fs::read(server.files().join("big.bin")).unwrap() == bytes);
    assert_eq!(names(&server.files()), ["big.bin"]);
    let sent = line.sent.load(Ordering::Relaxed);
    // A window of 8 MiB, what was in flight, and the protocol's own bytes.
    assert!(sent < (size + 14 * MIB) as u64, "{sent} bytes were sent");
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_line_on_the_way_in_costs_one_part_at_most() {
    let site = Site::new().await;
    let server = Sshd::start("");
    let bytes = content(30 * MIB);
    std::fs::write(server.files().join("big.bin"), &bytes).unwrap();
    let line = Line::to(server.port, Some(18 * MIB as u64), None).await;
    bank(&site, &server, line.port).await;
    let engine = site.start("one");
    let done = site.moved(transfer("bank:/big.bin", "in/big.bin")).await;
    assert_eq!(done.state, TransferState::Completed, "{:?}", done.fault);
    assert_eq!(done.attempt, 2);
    assert!(site.take("in/big.bin").await.unwrap() == bytes);
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_goes_on_where_one_stopped() {
    let site = Site::new().await;
    let server = Sshd::start("");
    let line = Line::to(server.port, None, Some(16 * MIB as u64)).await;
    bank(&site, &server, line.port).await;
    let bytes = content(32 * MIB);
    site.put("big.bin", &bytes).await;
    std::fs::write(server.files().join("far.bin"), &bytes).unwrap();
    let one = site.start("one");
    let out = site.submit(transfer("big.bin", "bank:/big.bin")).await;
    let back = site.submit(transfer("bank:/far.bin", "in/far.bin")).await;
    site.until(out, |transfer| transfer.bytes_done > 0).await;
    site.until(back, |transfer| transfer.bytes_done > 0).await;
    let begun = Instant::now();
    assert!(one.drain(DRAIN).await);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        names(&server.files()).len(),
        2,
        "nothing under the final name yet"
    );
    let two = site.start("two");
    for id in [out, back] {
        let done = site.ended(id).await;
        assert_eq!(done.state, TransferState::Completed, "{:?}", done.fault);
        assert_eq!(done.attempt, 1, "a stop of ours is no failed try");
    }
    assert!(std::fs::read(server.files().join("big.bin")).unwrap() == bytes);
    assert!(site.take("in/far.bin").await.unwrap() == bytes);
    assert_eq!(names(&server.files()), ["big.bin", "far.bin"]);
    assert!(two.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_share_the_work_and_each_file_arrives_once() {
    let site = Site::new().await;
    site.disk().await;
    site.put("a.bin", &content(100_000)).await;
    let nodes = [site.start("one"), site.start("two")];
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(
            site.submit(transfer("a.bin", &format!("disk:/{number}.bin")))
                .await,
        );
    }
    for id in ids {
        let done = site.ended(id).await;
        assert_eq!(
            (done.state, done.attempt),
            (TransferState::Completed, 1),
            "{:?}",
            done.fault
        );
    }
    assert_eq!(names(&site.far()).len(), 40);
    for node in nodes {
        assert!(node.drain(DRAIN).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_replaced_when_its_lease_ends() {
    let site = Site::new().await;
    let server = Sshd::start("");
    let line = Line::to(server.port, None, Some(16 * MIB as u64)).await;
    bank(&site, &server, line.port).await;
    let bytes = content(32 * MIB);
    site.put("big.bin", &bytes).await;
    let one = site.start("one");
    let id = site
        .submit(NewTransfer {
            verify: Verify::Size,
            ..transfer("big.bin", "bank:/big.bin")
        })
        .await;
    site.until(id, |transfer| transfer.bytes_done >= 16 * MIB as u64)
        .await;
    // Cut off without a word: nothing is handed back.
    assert!(!one.drain(Duration::ZERO).await);
    let before = line.sent.load(Ordering::Relaxed);
    let two = site.start("two");
    let done = site.ended(id).await;
    assert_eq!(
        (done.state, done.attempt),
        (TransferState::Completed, 1),
        "{:?}",
        done.fault
    );
    assert!(std::fs::read(server.files().join("big.bin")).unwrap() == bytes);
    let after = line.sent.load(Ordering::Relaxed) - before;
    assert!(after < 18 * MIB as u64, "{after} bytes were sent again");
    assert!(two.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn settling_happens_once() {
    for was_renamed in [false, true] {
        let site = Site::new().await;
        site.disk().await;
        let file = site.put("a.csv", b"content").await.file;
        let id = site.submit(transfer("a.csv", "disk:/a.csv")).await;
        let kinds = [JobKind::RunTransfer];
        let request = LeaseRequest {
            kinds: &kinds,
            limit: 1,
            busy_lanes: &[],
            busy_tenants: &[],
            after_lane: "",
            owner: "old",
        };
        let lease = site
            .core
            .jobs()
            .lease(request)
            .await
            .unwrap()
            .pop()
            .unwrap();
        let Begun::Run(run) = site.core.runs().begin(&lease).await.unwrap() else {
            unreachable!()
        };
        let mut transfer = run.transfer;
        transfer.state = TransferState::Settling;
        transfer.bytes_total = Some(7);
        transfer.hash = Some(file.hash.clone());
        transfer.checkpoint = Some(serde_json::json!({
            "phase": "settling", "source": { "in": "bailee", "file": file.id },
            "target": "/a.csv", "temporary": "/.a.csv.bailee-x.part", "confirmed_bytes": 7,
        }));
        site.core.runs().save(&lease, &mut transfer).await.unwrap();
        let name = if was_renamed {
            "a.csv"
        } else {
            ".a.csv.bailee-x.part"
        };
        std::fs::write(site.far().join(name), b"content").unwrap();
        let written = std::fs::metadata(site.far().join(name))
            .unwrap()
            .modified()
            .unwrap();
        site.core.runs().hand_back(&lease).await.unwrap();
        let engine = site.start("new");
        let done = site.ended(id).await;
        assert_eq!(
            (done.state, done.attempt),
            (TransferState::Completed, 1),
            "{:?}",
            done.fault
        );
        assert_eq!(names(&site.far()), ["a.csv"]);
        let found = std::fs::metadata(site.far().join("a.csv"))
            .unwrap()
            .modified()
            .unwrap();
        assert_eq!(found, written, "nothing was written again");
        // The old runner wakes up: it may write no more.
        transfer.bytes_done = 1;
        assert!(site.core.runs().save(&lease, &mut transfer).await.is_err());
        assert!(
            site.core
                .runs()
                .complete(&lease, &mut transfer)
                .await
                .is_err()
        );
        assert!(engine.drain(DRAIN).await);
    }
}
