//! Transfers from end to end: a real core, real connectors, a real OpenSSH server behind a line that can be slowed down.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod bank;
#[expect(dead_code, reason = "each of these tests needs another part of it")]
mod site;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bailee_core::NewTransfer;
use bailee_core::model::{
    OnConflict, PageRequest, Timestamp, TransferOutcome, TransferState, Verify,
};
use bank::bank;
use bank::sshd::Sshd;
use site::{Line, Site, content, names, transfer};

const DRAIN: Duration = Duration::from_secs(10);
const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_every_way() {
    let site = Site::new().await;
    let server = Sshd::start("");
    site.disk().await;
    bank(&site, &server, server.port).await;
    let engine = site.start("one");
    for (size, verify) in [
        (0, Verify::Hash),
        (5, Verify::Size),
        (20 * MIB + 3, Verify::Hash),
        (9 * MIB, Verify::None),
    ] {
        let bytes = content(size);
        let file = site.put(&format!("out/{size}.bin"), &bytes).await.file;
        let ways = [
            (format!("out/{size}.bin"), "bank:/".to_owned()),
            (format!("bank:/{size}.bin"), "disk:".to_owned() + "/"),
            (format!("disk:/{size}.bin"), format!("back/{size}.bin")),
            (format!("back/{size}.bin"), format!("copy/{size}.bin")),
        ];
        for (from, to) in ways {
            let done = site
                .moved(NewTransfer {
                    verify,
                    ..transfer(&from, &to)
                })
                .await;
            assert_eq!(
                done.outcome,
                Some(TransferOutcome::Succeeded),
                "{from} to {to}: {:?}",
                done.fault
            );
            assert_eq!(done.hash.as_ref(), Some(&file.hash), "{from} to {to}");
            assert_eq!(
                (done.bytes_total, done.bytes_done),
                (Some(size as u64), size as u64)
            );
            assert_eq!(done.attempt, 1);
        }
        assert!(site.take(&format!("copy/{size}.bin")).await.unwrap() == bytes);
        assert!(std::fs::read(site.far().join(format!("{size}.bin"))).unwrap() == bytes);
    }
    assert_eq!(names(&site.far()).len(), 4, "no temporary file is left");
    assert_eq!(names(&server.files()).len(), 4, "no temporary file is left");
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occupied_destination_is_treated_as_asked() {
    let site = Site::new().await;
    site.disk().await;
    let engine = site.start("one");
    site.put("a.csv", b"new").await;
    std::fs::write(site.far().join("a.csv"), b"old").unwrap();
    site.put("in/a.csv", b"old").await;
    for to in ["disk:/a.csv", "in/a.csv"] {
        let asked = |on_conflict| NewTransfer {
            on_conflict,
            ..transfer("a.csv", to)
        };
        let fail = site.moved(asked(OnConflict::Fail)).await;
        assert_eq!(fail.fault.unwrap().code, "destination_exists", "{to}");
        let skip = site.moved(asked(OnConflict::Skip)).await;
        assert_eq!(skip.state, TransferState::Completed, "{to}");
        let rename = site.moved(asked(OnConflict::Rename)).await;
        assert_eq!(
            rename.state,
            TransferState::Completed,
            "{to}: {:?}",
            rename.fault
        );
        let replace = site.moved(asked(OnConflict::Replace)).await;
        assert_eq!(
            replace.state,
            TransferState::Completed,
            "{to}: {:?}",
            replace.fault
        );
    }
    assert_eq!(names(&site.far()), ["a (2).csv", "a.csv"]);
    assert_eq!(std::fs::read(site.far().join("a.csv")).unwrap(), b"new");
    assert_eq!(site.take("in/a.csv").await.unwrap(), b"new");
    assert_eq!(site.take("in/a (2).csv").await.unwrap(), b"new");
    // The same from a remote, where the bytes come by parts.
    let asked = |on_conflict| NewTransfer {
        on_conflict,
        ..transfer("disk:/a.csv", "in/a.csv")
    };
    assert_eq!(
        site.moved(asked(OnConflict::Fail))
            .await
            .fault
            .unwrap()
            .code,
        "destination_exists"
    );
    assert_eq!(
        site.moved(asked(OnConflict::Rename)).await.state,
        TransferState::Completed
    );
    assert_eq!(site.take("in/a (3).csv").await.unwrap(), b"new");
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_pause_and_deadline_act_within_seconds() {
    let site = Site::new().await;
    let server = Sshd::start("");
    let line = Line::to(server.port, None, Some(4 * MIB as u64)).await;
    bank(&site, &server, line.port).await;
    let bytes = content(24 * MIB);
    site.put("big.bin", &bytes).await;
    let engine = site.start("one");
    let (core, caller) = (&site.core, &site.caller);

    let id = site.submit(transfer("big.bin", "bank:/one.bin")).await;
    site.until(id, |transfer| transfer.bytes_done > 0).await;
    let begun = Instant::now();
    core.transfers().cancel(caller, id).await.unwrap();
    let done = site.ended(id).await;
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(done.outcome, Some(TransferOutcome::Cancelled));
    assert_eq!(
        names(&server.files()),
        Vec::<String>::new(),
        "the temporary file is removed"
    );

    let soon = Timestamp::from_ms(core.clock().now().ms() + 2_000);
    let late = NewTransfer {
        deadline: Some(soon),
        ..transfer("big.bin", "bank:/two.bin")
    };
    assert_eq!(
        site.moved(late).await.outcome,
        Some(TransferOutcome::Expired)
    );

    let sent_before = line.sent.load(Ordering::Relaxed);
    let id = site.submit(transfer("big.bin", "bank:/three.bin")).await;
    let before = site
        .until(id, |transfer| transfer.bytes_done > 0)
        .await
        .bytes_done;
    core.transfers().pause(caller, id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let paused = core.transfers().get(caller, id).await.unwrap();
    assert_eq!(paused.state, TransferState::Paused);
    assert!(paused.bytes_done >= before);
    core.transfers().resume(caller, id).await.unwrap();
    let done = site.ended(id).await;
    assert_eq!(done.state, TransferState::Completed, "{:?}", done.fault);
    assert!(std::fs::read(server.files().join("three.bin")).unwrap() == bytes);
    let sent = line.sent.load(Ordering::Relaxed) - sent_before;
    assert!(sent < 38 * MIB as u64, "{sent} bytes were sent");
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_told_in_words() {
    let site = Site::new().await;
    let server = Sshd::start("");
    site.disk().await;
    bank(&site, &server, 9).await;
    let engine = site.start("one");
    site.put("a.csv", b"a").await;
    let away = site.moved(transfer("a.csv", "bank:/a.csv")).await;
    let fault = away.fault.unwrap();
    assert_eq!(
        (fault.code.as_str(), away.attempt),
        ("remote_unreachable", 3)
    );
    assert!(
        fault.message.contains("`bank`") && fault.message.contains("3 attempts"),
        "{}",
        fault.message
    );
    let lost = site.moved(transfer("disk:/none.csv", "in/none.csv")).await;
    assert_eq!(
        (lost.fault.unwrap().code.as_str(), lost.attempt),
        ("source_not_found", 1)
    );
    let nowhere = site.moved(transfer("a.csv", "disk:/none/a.csv")).await;
    assert_eq!(nowhere.fault.unwrap().code, "folder_not_found");
    assert!(engine.drain(DRAIN).await);
}

/// What a runner leaves behind that stopped just before, or just after, it gave the file its name.
#[tokio::test(flavor = "multi_thread")]
async fn remotes_are_tested_step_by_step() {
    let site = Site::new().await;
    let server = Sshd::start("");
    site.disk().await;
    bank(&site, &server, server.port).await;
    let engine = site.start("one");
    let remotes = site
        .core
        .remotes()
        .list(&site.caller, PageRequest::default())
        .await
        .unwrap()
        .data;
    for remote in remotes {
        let report = site
            .core
            .remotes()
            .test(&site.caller, remote.id)
            .await
            .unwrap();
        assert!(report.steps.iter().all(|step| step.ok), "{report:?}");
        assert_eq!(report.steps.last().unwrap().name, "delete");
    }
    assert_eq!(names(&site.far()).len() + names(&server.files()).len(), 0);
    assert!(engine.drain(DRAIN).await);
}
