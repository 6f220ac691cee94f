//! Files and streams over TLS, there and back, with everything that goes wrong in between.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod events;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bailee_client::{
    CheckpointFile, Checkpoints as _, Client, DownloadOptions, Error, Phase, RetryPolicy,
    UploadOptions,
};
use server::{FILE, Server, start};

fn client(server: &Server) -> Client {
    let quick = RetryPolicy {
        delay_min: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    Client::builder(&server.url)
        .api_key("bailee_test_key")
        .ca_file(server.ca.path())
        .retry(quick)
        .build()
        .unwrap()
}

/// Bytes that differ everywhere.
fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 + at / 251) as u8).collect()
}

fn file(folder: &tempfile::TempDir, size: usize) -> PathBuf {
    let path = folder.path().join("big.bin");
    std::fs::write(&path, content(size)).unwrap();
    path
}

const BIG: usize = 20 * 1024 * 1024 + 7;

#[tokio::test]
async fn a_small_file_goes_in_one_request_with_one_key_over_its_retries() {
    let (server, folder) = (start().await, tempfile::tempdir().unwrap());
    server.facts.lock().unwrap().refuse = Some(("/files/upload", 503, 2));
    let path = file(&folder, 1000);
    let sent = client(&server)
        .upload_file(&path, "/in/big.bin", UploadOptions::default())
        .await
        .unwrap();
    assert_eq!((sent.path.as_str(), sent.size), ("/in/big.bin", 1000));
    let facts = server.facts.lock().unwrap();
    assert_eq!(facts.file.as_ref().unwrap().1, content(1000));
    let counts: Vec<_> = facts
        .seen
        .iter()
        .map(|(_, _, count)| count.as_deref())
        .collect();
    assert_eq!(counts, [None, Some("1"), Some("2")]);
    let keys: Vec<_> = facts
        .seen
        .iter()
        .map(|(_, key, _)| key.clone().unwrap())
        .collect();
    assert!(keys[0].starts_with("auto_") && keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn an_occupied_path_is_a_conflict_and_not_tried_again() {
    let (server, folder) = (start().await, tempfile::tempdir().unwrap());
    let (client, path) = (client(&server), file(&folder, 10));
    client
        .upload_file(&path, "/in/big.bin", UploadOptions::default())
        .await
        .unwrap();
    let again = client
        .upload_file(&path, "/in/big.bin", UploadOptions::default())
        .await
        .unwrap_err();
    assert_eq!((again.code(), again.status()), ("file_exists", Some(409)));
    assert_eq!(server.facts.lock().unwrap().seen.len(), 2);
}

#[tokio::test]
async fn a_large_file_goes_by_parts_and_comes_back_whole() {
    let (server, folder) = (start().await, tempfile::tempdir().unwrap());
    let (client, path) = (client(&server), file(&folder, BIG));
    server.facts.lock().unwrap().refuse = Some(("/parts/1", 503, 1));
    let sent = client
        .upload_file(&path, "/in/big.bin", UploadOptions::default())
        .await
        .unwrap();
    assert_eq!(sent.size, BIG as u64);
    assert_eq!(server.facts.lock().unwrap().parts.len(), 3);
    let target = folder.path().join("copy.bin");
    client
        .download_file("/in/big.bin", &target, DownloadOptions::default())
        .await
        .unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), content(BIG));
    let occupied = client
        .download_file("/in/big.bin", &target, DownloadOptions::default())
        .await;
    assert!(matches!(occupied, Err(Error::Local { .. })));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing is left beside"
    );
}

#[tokio::test]
async fn an_interrupted_upload_goes_on_with_what_is_held() {
    let (server, folder) = (start().await, tempfile::tempdir().unwrap());
    let (client, path) = (client(&server), file(&folder, BIG));
    let checkpoint = Arc::new(CheckpointFile::new(folder.path().join("state/up.json")));
    let options = || UploadOptions {
        parallel: 1,
        checkpoint: Some(checkpoint.clone()),
        ..UploadOptions::default()
    };
    server.facts.lock().unwrap().refuse = Some(("/parts/2", 500, 1));
    assert!(
        client
            .upload_file(&path, "/in/big.bin", options())
            .await
            .is_err()
    );
    assert!(checkpoint.load().is_some());
    server.facts.lock().unwrap().seen.clear();
    client
        .upload_file(&path, "/in/big.bin", options())
        .await
        .unwrap();
    assert!(
        checkpoint.load().is_none(),
        "a finished upload is forgotten"
    );
    let facts = server.facts.lock().unwrap();
    assert_eq!(facts.sessions_opened, 1);
    let parts: Vec<_> = facts
        .seen
        .iter()
        .filter(|(line, ..)| line.contains("/parts/"))
        .collect();
    assert_eq!(parts.len(), 1, "{parts:?}");
    assert_eq!(facts.file.as_ref().unwrap().1, content(BIG));
}

#[tokio::test]
async fn a_source_that_changed_begins_anew() {
    let (server, folder) = (start().await, tempfile::tempdir().unwrap());
    let (client, path) = (client(&server), file(&folder, BIG));
    let checkpoint = Arc::new(CheckpointFile::new(folder.path().join("up.json")));
    let options = || UploadOptions {
        checkpoint: Some(checkpoint.clone()),
        ..UploadOptions::default()
    };
    server.facts.lock().unwrap().refuse = Some(("/complete", 500, 1));
    assert!(
        client
            .upload_file(&path, "/in/big.bin", options())
            .await
            .is_err()
    );
    std::fs::write(&path, content(BIG + 1)).unwrap();
    client
        .upload_file(&path, "/in/big.bin", options())
        .await
        .unwrap();
    let facts = server.facts.lock().unwrap();
    assert_eq!(facts.sessions_opened, 2);
    assert_eq!(facts.file.as_ref().unwrap().1, content(BIG + 1));
}

#[tokio::test]
async fn a_stream_of_unknown_length_goes_by_parts() {
    let server = start().await;
    let bytes = content(9 * 1024 * 1024);
    client(&server)
        .upload_stream(&bytes[..], "/in/big.bin", UploadOptions::default())
        .await
        .unwrap();
    let facts = server.facts.lock().unwrap();
    assert_eq!(
        (facts.parts.len(), &facts.file.as_ref().unwrap().1[..]),
        (2, &bytes[..])
    );
}

#[tokio::test]
async fn a_stream_that_fails_leaves_no_session() {
    let server = start().await;
    server.facts.lock().unwrap().refuse = Some(("/parts/1", 413, 1));
    let bytes = content(9 * 1024 * 1024);
    let sent = client(&server)
        .upload_stream(&bytes[..], "/in/big.bin", UploadOptions::default())
        .await;
    assert_eq!(sent.unwrap_err().status(), Some(413));
    let facts = server.facts.lock().unwrap();
    assert!(facts.file.is_none() && facts.parts.is_empty());
    assert!(
        facts
            .seen
            .iter()
            .any(|(line, ..)| line.starts_with("DELETE"))
    );
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_stopped() {
    let (server, folder) = (start().await, tempfile::tempdir().unwrap());
    server.facts.lock().unwrap().file = Some(("/in/a".to_owned(), content(3_000_000).into()));
    server.facts.lock().unwrap().cut_after = Some(1_000_000);
    let target = folder.path().join("a");
    client(&server)
        .download_file("/in/a", &target, DownloadOptions::default())
        .await
        .unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), content(3_000_000));
    let facts = server.facts.lock().unwrap();
    assert_eq!(
        facts
            .seen
            .iter()
            .filter(|(line, ..)| line.contains("/download"))
            .count(),
        2
    );
}

#[tokio::test]
async fn what_an_earlier_run_fetched_is_used_and_proven() {
    let (server, folder) = (start().await, tempfile::tempdir().unwrap());
    server.facts.lock().unwrap().file = Some(("/in/a".to_owned(), content(1000).into()));
    let (target, partial) = (
        folder.path().join("a"),
        folder.path().join(format!(".a.{FILE}.part")),
    );
    std::fs::write(&partial, content(400)).unwrap();
    client(&server)
        .download_file("/in/a", &target, DownloadOptions::default())
        .await
        .unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), content(1000));
    std::fs::remove_file(&target).unwrap();
    std::fs::write(&partial, b"these are other bytes").unwrap();
    let wrong = client(&server)
        .download_file("/in/a", &target, DownloadOptions::default())
        .await;
    assert!(matches!(wrong, Err(Error::Integrity { .. })), "{wrong:?}");
    assert!(!target.exists() && !partial.exists());
}

#[tokio::test]
async fn damaged_bytes_never_reach_the_target() {
    let (server, folder) = (start().await, tempfile::tempdir().unwrap());
    server.facts.lock().unwrap().file = Some(("/in/a".to_owned(), content(1000).into()));
    server.facts.lock().unwrap().damaged = true;
    let target = folder.path().join("a");
    let damaged = client(&server)
        .download_file("/in/a", &target, DownloadOptions::default())
        .await;
    assert_eq!(damaged.unwrap_err().code(), "digest_mismatch");
    assert!(!target.exists());
}

#[tokio::test]
async fn failures_say_how_far_they_came() {
    let server = start().await;
    let wrong_key = Client::builder(&server.url)
        .api_key("other")
        .ca_file(server.ca.path())
        .build()
        .unwrap();
    let refused = wrong_key.files().stat("/a").await.unwrap_err();
    assert_eq!(
        (refused.status(), refused.code()),
        (Some(401), "credential_invalid")
    );
    let other_ca = start().await;
    let untrusting = Client::builder(&server.url)
        .ca_file(other_ca.ca.path())
        .retry(RetryPolicy::NEVER)
        .build()
        .unwrap();
    match untrusting.files().stat("/a").await.unwrap_err() {
        Error::Connection {
            phase,
            outcome_unknown,
            ..
        } => assert_eq!((phase, outcome_unknown), (Phase::Connecting, false)),
        other => assert_eq!(other.to_string(), "a connection error"),
    }
    let hurried = client(&server)
        .with_deadline(Duration::ZERO)
        .files()
        .stat("/a")
        .await;
    assert!(matches!(hurried, Err(Error::Deadline(_))));
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_done() {
    let server = start().await;
    let id = FILE.parse::<bailee_client::model::FileId>().unwrap();
    assert_eq!(
        client(&server)
            .files()
            .delete(id)
            .await
            .unwrap_err()
            .status(),
        Some(404)
    );
    server.facts.lock().unwrap().refuse = Some(("DELETE", 503, 1));
    client(&server).files().delete(id).await.unwrap();
}
