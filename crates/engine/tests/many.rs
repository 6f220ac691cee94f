//! Transfers of many files: a real core and engine, a folder of this machine as the far side.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[expect(dead_code, reason = "no line is cut here")]
mod site;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bailee_core::model::{
    ErrorKind, OnConflict, PageRequest, Same, Transfer, TransferId, TransferOutcome, TransferState,
};
use bailee_core::{NewTransfer, RetryFiles, TransferFilter};
use site::{Site, content, transfer};

const DRAIN: Duration = Duration::from_secs(10);

/// Everything below a folder with its content, by relative path.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            for (path, bytes) in tree(&entry.path()) {
                found.insert(format!("{name}/{path}"), bytes);
            }
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}

fn plant(folder: &Path, paths: &[&str]) {
    for path in paths {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content(path.len() * 100)).unwrap();
    }
}

async fn files(site: &Site, id: TransferId, state: Option<&str>) -> Vec<Transfer> {
    let page = PageRequest {
        limit: 500,
        after: None,
    };
    let transfers = site.core.transfers();
    let page = transfers.files(&site.caller, id, state, page).await;
    page.unwrap().data
}

fn counts(transfer: &Transfer) -> (u64, u64, u64, u64) {
    let counts = transfer.counts.unwrap();
    assert!(counts.is_listed);
    (
        counts.files_total,
        counts.files_done,
        counts.files_skipped,
        counts.files_failed,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_its_shape_both_ways() {
    let site = Site::new().await;
    site.disk().await;
    let engine = site.start("one");
    let paths = ["a.csv", "b.txt", "sub/c.csv", "sub/deep/d.csv", "z/e.csv"];
    plant(&site.far().join("out"), &paths);
    fs::create_dir(site.far().join("out/empty")).unwrap();
    let done = site.moved(transfer("disk:/out/", "in/")).await;
    assert_eq!(
        done.outcome,
        Some(TransferOutcome::Succeeded),
        "{:?}",
        done.fault
    );
    assert_eq!(counts(&done), (5, 5, 0, 0));
    for path in paths {
        let bytes = site.take(&format!("in/{path}")).await.unwrap();
        assert_eq!(bytes, content(path.len() * 100), "{path}");
    }
    // Back to a place that is not there yet, without the slash.
    let back = site.moved(transfer("in", "disk:/back/again")).await;
    assert_eq!(
        back.outcome,
        Some(TransferOutcome::Succeeded),
        "{:?}",
        back.fault
    );
    assert_eq!(
        tree(&site.far().join("back/again")),
        tree(&site.far().join("out"))
    );
    // A far folder without a slash is found to be one; within Bailee it is copied.
    let third = site.moved(transfer("disk:/back/again/sub", "third")).await;
    assert_eq!(counts(&third), (2, 2, 0, 0));
    assert!(site.take("third/deep/d.csv").await.is_some());
    let inside = site.moved(transfer("in/", "copy/")).await;
    assert_eq!(counts(&inside), (5, 5, 0, 0));
    assert_eq!(
        inside.counts.unwrap().bytes_done,
        inside.counts.unwrap().bytes_total
    );
    // Lists show the submitted ones only, unless asked for the files.
    let list = |parent| {
        let filter = TransferFilter {
            parent,
            ..TransferFilter::default()
        };
        let transfers = site.core.transfers();
        let caller = site.caller.clone();
        async move {
            let page = transfers.list(&caller, filter, PageRequest::default());
            page.await.unwrap().data.len()
        }
    };
    assert_eq!(list(None).await, 4);
    assert_eq!(list(Some(inside.id)).await, 5);
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_and_lists_choose_files() {
    let site = Site::new().await;
    site.disk().await;
    let engine = site.start("one");
    let paths = ["a.csv", "b.txt", "sub/c.csv", "sub/d.tmp", "old/e.csv"];
    plant(&site.far().join("out"), &paths);
    let wish = NewTransfer {
        include: vec!["*.csv".parse().unwrap(), "sub/*".parse().unwrap()],
        exclude: vec!["old/**".parse().unwrap(), "*.tmp".parse().unwrap()],
        ..transfer("disk:/out/", "disk:/chosen/")
    };
    let done = site.moved(wish).await;
    assert_eq!(counts(&done), (2, 2, 0, 0), "{:?}", done.fault);
    let chosen: Vec<_> = tree(&site.far().join("chosen")).into_keys().collect();
    assert_eq!(chosen, ["a.csv", "sub/c.csv"]);
    let end = |text| bailee_core::parse_end(text).unwrap();
    let file = site.put("x/own.csv", b"own").await.file;
    let wish = NewTransfer {
        sources: vec![
            end("disk:/out/b.txt"),
            end(&file.id.to_string()),
            end("disk:/out/old/"),
            end("disk:/out/missing"),
        ],
        ..transfer("disk:/out/b.txt", "disk:/list")
    };
    let listed = site.moved(wish).await;
    assert_eq!(counts(&listed), (4, 3, 0, 1));
    assert_eq!(listed.state, TransferState::Failed);
    assert_eq!(listed.outcome, Some(TransferOutcome::Partial));
    let fault = listed.fault.clone().unwrap();
    assert_eq!(fault.code, "source_not_found");
    assert!(fault.message.contains("1 of 4"), "{}", fault.message);
    let there: Vec<_> = tree(&site.far().join("list")).into_keys().collect();
    assert_eq!(there, ["b.txt", "e.csv", "own.csv"]);
    let failed = files(&site, listed.id, Some("failed")).await;
    assert_eq!(failed.len(), 1);
    // What failed alone is repeated alone.
    plant(&site.far().join("out"), &["missing"]);
    let transfers = site.core.transfers();
    let again = transfers.retry(&site.caller, listed.id, RetryFiles::Failed);
    let again = site.ended(again.await.unwrap().id).await;
    assert_eq!(counts(&again), (1, 1, 0, 0), "{:?}", again.fault);
    assert_eq!(again.retry_of, Some(listed.id));
    assert!(site.far().join("list/missing").exists());
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_are_treated_file_by_file() {
    let site = Site::new().await;
    site.disk().await;
    let engine = site.start("one");
    plant(&site.far().join("out"), &["a", "b", "c"]);
    plant(&site.far().join("to"), &["b"]);
    let wish = |on_conflict| NewTransfer {
        on_conflict,
        ..transfer("disk:/out/", "disk:/to/")
    };
    let fail = site.moved(wish(OnConflict::Fail)).await;
    assert_eq!(counts(&fail), (3, 2, 0, 1));
    let skip = site.moved(wish(OnConflict::Skip)).await;
    assert_eq!(counts(&skip), (3, 0, 3, 0));
    assert_eq!(skip.outcome, Some(TransferOutcome::Succeeded));
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_listed_is_told() {
    let site = Site::new().await;
    site.disk().await;
    let engine = site.start("one");
    let none = site.moved(transfer("disk:/nowhere/", "in/")).await;
    assert_eq!(none.outcome, Some(TransferOutcome::Error));
    assert_eq!(none.fault.unwrap().code, "source_not_found");
    let transfers = site.core.transfers();
    for (from, to) in [("in/", "in/deeper/"), ("disk:/", "disk:/x/")] {
        site.put("in/a", b"a").await;
        let refused = transfers.submit(&site.caller, transfer(from, to)).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ValidationFailed);
    }
    fs::create_dir(site.far().join("empty")).unwrap();
    let empty = site.moved(transfer("disk:/empty/", "in/")).await;
    assert_eq!(counts(&empty), (0, 0, 0, 0));
    assert_eq!(empty.state, TransferState::Completed);
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_takes_its_files_along() {
    let site = Site::new().await;
    site.disk().await;
    let many: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    plant(&site.far().join("out"), &many);
    let transfers = site.core.transfers();
    let engine = site.start("one");
    let id = site.submit(transfer("disk:/out/", "in/")).await;
    let has_begun = |found: &Transfer| found.counts.is_some_and(|counts| counts.is_listed);
    site.until(id, has_begun).await;
    let paused = transfers.pause(&site.caller, id).await.unwrap();
    assert_eq!(paused.state, TransferState::Paused);
    // What runs stops soon, and nothing begins.
    let mut rested = None;
    for _ in 0..100 {
        let running = files(&site, id, Some("running")).await.len();
        let queued = files(&site, id, Some("queued")).await.len();
        if running == 0 && rested == Some(queued) {
            break;
        }
        rested = Some(queued);
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    assert!(rested.unwrap() > 0, "too fast to be paused");
    transfers.resume(&site.caller, id).await.unwrap();
    let is_moving = |found: &Transfer| found.counts.unwrap().files_done > 0;
    site.until(id, is_moving).await;
    transfers.cancel(&site.caller, id).await.unwrap();
    let ended = site.ended(id).await;
    assert_eq!(ended.outcome, Some(TransferOutcome::Cancelled));
    let (total, done, skipped, failed) = counts(&ended);
    assert_eq!((total, done + skipped + failed), (300, 300));
    assert_eq!(files(&site, id, Some("failed")).await.len() as u64, failed);
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bandwidth_is_shared_by_the_files_of_a_transfer() {
    let site = Site::new().await;
    site.disk().await;
    let engine = site.start("one");
    for name in ["a", "b", "c", "d"] {
        site.put(&format!("out/{name}"), &content(100_000)).await;
    }
    for (from, to) in [("out/", "disk:/out/"), ("disk:/out/", "in/")] {
        let began = std::time::Instant::now();
        let wish = NewTransfer {
            bandwidth: Some(200_000),
            verify: bailee_core::model::Verify::None,
            ..transfer(from, to)
        };
        let done = site.moved(wish).await;
        assert_eq!(counts(&done), (4, 4, 0, 0));
        // A quarter of a second is free after a rest.
        assert!(began.elapsed() >= Duration::from_millis(1_700), "{from}");
    }
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_same_is_left_alone() {
    let site = Site::new().await;
    site.disk().await;
    let engine = site.start("one");
    for (same, skipped) in [
        (Same::Exists, 2),
        (Same::Size, 1),
        (Same::Mtime, 1),
        (Same::Hash, 1),
    ] {
        let name = format!("{same:?}").to_lowercase();
        // `a` is as it was, `b` has grown, `c` is new.
        site.put(&format!("{name}/a"), b"a").await;
        site.put(&format!("{name}/b"), b"b").await;
        let ways = [
            (format!("{name}/"), format!("disk:/{name}/")),
            (format!("disk:/{name}/"), format!("back-{name}/")),
            (format!("{name}/"), format!("copy-{name}/")),
        ];
        let wish = |from: &str, to: &str| NewTransfer {
            same: Some(same),
            on_conflict: OnConflict::Replace,
            ..transfer(from, to)
        };
        for (from, to) in &ways {
            let first = site.moved(wish(from, to)).await;
            assert_eq!(
                counts(&first),
                (2, 2, 0, 0),
                "{from} {to} {:?}",
                first.fault
            );
        }
        site.put(&format!("{name}/b"), b"bb").await;
        site.put(&format!("{name}/c"), b"c").await;
        for (from, to) in &ways {
            let again = site.moved(wish(from, to)).await;
            let fresh = 3 - skipped;
            // By size alone, or by being there, what was replaced at the first stop may look the same at the next.
            assert_eq!(counts(&again).3, 0, "{from} {to}: {:?}", again.fault);
            if from.starts_with("disk:") {
                assert!(counts(&again).2 >= 1, "{same:?} {from} {to}");
            } else {
                assert_eq!(
                    counts(&again),
                    (3, fresh, skipped, 0),
                    "{same:?} {from} {to}"
                );
            }
        }
    }
    assert_eq!(fs::read(site.far().join("hash/b")).unwrap(), b"bb");
    assert_eq!(fs::read(site.far().join("exists/b")).unwrap(), b"b");
    assert!(engine.drain(DRAIN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn between_remotes_nothing_rests_here() {
    const BYTES: usize = 40 << 20;
    let site = Site::new().await;
    site.disk().await;
    let engine = site.start("one");
    fs::write(site.far().join("big"), content(BYTES)).unwrap();
    let data = site.far().parent().unwrap().join("data");
    let rests = |data: &Path| -> usize {
        let files = tree(data).into_iter();
        let bytes = files.filter(|(path, _)| !path.starts_with("bailee.db"));
        bytes.map(|(_, bytes)| bytes.len()).sum()
    };
    let before = rests(&data);
    let wish = NewTransfer {
        bandwidth: Some(20 << 20),
        ..transfer("disk:/big", "disk:/copy")
    };
    let id = site.submit(wish).await;
    let mut seen = 0;
    loop {
        let transfers = site.core.transfers();
        let now = transfers.get(&site.caller, id).await.unwrap();
        assert_eq!(rests(&data), before, "after {} bytes", now.bytes_done);
        if now.state.is_final() {
            assert_eq!(
                now.outcome,
                Some(TransferOutcome::Succeeded),
                "{:?}",
                now.fault
            );
            break;
        }
        seen += usize::from(now.bytes_done > 0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(seen > 0, "looked at while it moved");
    assert!(fs::metadata(data.join("bailee.db")).unwrap().len() < (BYTES / 2) as u64);
    assert!(engine.drain(DRAIN).await);
}
