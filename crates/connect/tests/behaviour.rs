//! One suite for every connector, and what each of them must do besides.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod local;
mod openssh;
mod sshd;

use std::path::Path;

use bailee_connect::{
    Connector, ConnectorSpec, EgressGuard, EntryKind, Fault, FaultKind, LocalConfig, PrivateKey,
    ProbeOptions, RemotePath, Replace, Result, SftpConfig, WriteOptions, open, probe,
};
use bytes::Bytes;
use futures::TryStreamExt;
use sshd::Sshd;

fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

fn guard() -> EgressGuard {
    EgressGuard::strict().allowing_loopback()
}

fn sftp(server: &Sshd, key: &str) -> SftpConfig {
    SftpConfig {
        private_key: Some(PrivateKey {
            pem: server.key(key).into(),
            passphrase: None,
        }),
        host_key: Some(server.host_key()),
        base: Some(path(server.files().to_str().unwrap())),
        ..SftpConfig::new("127.0.0.1", server.port, server.user.clone())
    }
}

fn local(root: &Path) -> LocalConfig {
    LocalConfig {
        folder: root.to_owned(),
        allowed_roots: vec![root.to_owned()],
    }
}

async fn open_sftp(config: SftpConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::Sftp(config), &guard()).await
}

async fn open_local(config: LocalConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::Local(config), &guard()).await
}

/// Bytes that differ everywhere, so that a swapped or repeated stretch is seen.
fn bytes(count: usize) -> Bytes {
    (0..count as u64)
        .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

async fn put(far: &dyn Connector, at: &str, content: Bytes) {
    let mut writer = far.write(&path(at), WriteOptions::default()).await.unwrap();
    writer.write(content.clone()).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), content.len() as u64);
}

async fn take(far: &dyn Connector, at: &str, offset: u64) -> Result<Vec<u8>> {
    let chunks: Vec<Bytes> = far.read(&path(at), offset).await?.try_collect().await?;
    Ok(chunks.concat())
}

fn kind<T>(result: Result<T>) -> FaultKind {
    result
        .err()
        .map(|fault: Fault| fault.kind().clone())
        .unwrap()
}

async fn suite(far: &dyn Connector) {
    writes_and_reads(far).await;
    goes_on_at_an_offset(far).await;
    lists(far).await;
    renames(far).await;
    says_what_is_missing(far).await;
}

async fn writes_and_reads(far: &dyn Connector) {
    for size in [0, 1, 32 * 1024, 255 * 1024 + 1, 6 * 1024 * 1024 + 17] {
        let content = bytes(size);
        put(far, "a.bin", content.clone()).await;
        let found = far.stat(&path("a.bin")).await.unwrap().unwrap();
        assert_eq!(
            (found.kind, found.size_bytes, found.name.as_str()),
            (EntryKind::File, Some(size as u64), "a.bin")
        );
        assert!(found.modified.is_some());
        assert!(
            take(far, "a.bin", 0).await.unwrap() == content,
            "{size} bytes came back changed"
        );
        assert!(take(far, "/a.bin", size as u64 / 3).await.unwrap() == content.slice(size / 3..));
        assert!(take(far, "a.bin", size as u64).await.unwrap().is_empty());
        assert!(
            take(far, "a.bin", size as u64 + 5)
                .await
                .unwrap()
                .is_empty()
        );
    }
    let mut writer = far
        .write(&path("pieces"), WriteOptions::default())
        .await
        .unwrap();
    for piece in bytes(300_000).chunks(777) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    assert_eq!(writer.finish().await.unwrap(), 300_000);
    assert!(take(far, "pieces", 0).await.unwrap() == bytes(300_000));
    far.remove(&path("pieces")).await.unwrap();
    far.remove(&path("a.bin")).await.unwrap();
    assert_eq!(far.stat(&path("a.bin")).await.unwrap(), None);
}

async fn goes_on_at_an_offset(far: &dyn Connector) {
    let content = bytes(3_000_000);
    let mut writer = far
        .write(&path("resume"), WriteOptions::default())
        .await
        .unwrap();
    writer.write(content.slice(..1_000_000)).await.unwrap();
    let confirmed = writer.flush().await.unwrap();
    assert_eq!(
        (confirmed, writer.confirmed_bytes()),
        (1_000_000, 1_000_000)
    );
    writer
        .write(Bytes::from(vec![b'x'; 900_000]))
        .await
        .unwrap();
    drop(writer); // as after a crash: what lies behind the checkpoint is garbage
    let offset = 1_000_000;
    let mut writer = far
        .write(
            &path("resume"),
            WriteOptions {
                offset,
                size_hint: Some(3_000_000),
            },
        )
        .await
        .unwrap();
    assert_eq!(writer.confirmed_bytes(), offset);
    writer
        .write(content.slice(1_000_000..1_200_000))
        .await
        .unwrap();
    assert_eq!(writer.finish().await.unwrap(), 1_200_000);
    assert!(
        take(far, "resume", 0).await.unwrap() == content.slice(..1_200_000),
        "the tail was not cut off"
    );
    let beyond = WriteOptions {
        offset: 1_200_001,
        size_hint: None,
    };
    assert_eq!(
        kind(far.write(&path("resume"), beyond).await),
        FaultKind::OffsetBeyondEnd
    );
    let missing = WriteOptions {
        offset: 5,
        size_hint: None,
    };
    assert_eq!(
        kind(far.write(&path("no-such"), missing).await),
        FaultKind::NotFound
    );
    assert_eq!(far.stat(&path("no-such")).await.unwrap(), None);
    far.remove(&path("resume")).await.unwrap();
}

async fn lists(far: &dyn Connector) {
    assert!(far.list(&path("/"), 10).await.unwrap().entries.is_empty());
    far.mkdir(&path("box")).await.unwrap();
    assert_eq!(kind(far.mkdir(&path("box")).await), FaultKind::Exists);
    for name in ["c", "ä b.csv", "a"] {
        put(far, &format!("box/{name}"), Bytes::from_static(b"12345")).await;
    }
    far.mkdir(&path("box/sub")).await.unwrap();
    let listing = far.list(&path("/box"), 10).await.unwrap();
    let names: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.kind))
        .collect();
    let file = EntryKind::File;
    assert_eq!(
        names,
        [
            ("a", file),
            ("c", file),
            ("sub", EntryKind::Folder),
            ("ä b.csv", file)
        ]
    );
    assert_eq!((listing.is_cut, listing.unnameable_count), (false, 0));
    assert_eq!(listing.entries.first().unwrap().size_bytes, Some(5));
    let cut = far.list(&path("box"), 2).await.unwrap();
    assert_eq!((cut.entries.len(), cut.is_cut), (2, true));
    for name in ["c", "ä b.csv", "a"] {
        far.remove(&path(&format!("box/{name}"))).await.unwrap();
    }
}

async fn renames(far: &dyn Connector) {
    put(far, "old", Bytes::from_static(b"new content")).await;
    put(far, "taken", Bytes::from_static(b"old content")).await;
    assert_eq!(
        kind(far.rename(&path("old"), &path("taken"), Replace::No).await),
        FaultKind::Exists
    );
    assert_eq!(take(far, "taken", 0).await.unwrap(), b"old content");
    far.rename(&path("old"), &path("taken"), Replace::Yes)
        .await
        .unwrap();
    assert_eq!(take(far, "taken", 0).await.unwrap(), b"new content");
    assert_eq!(far.stat(&path("old")).await.unwrap(), None);
    far.rename(&path("taken"), &path("box/free"), Replace::No)
        .await
        .unwrap();
    assert_eq!(take(far, "box/free", 0).await.unwrap(), b"new content");
    assert_eq!(
        kind(far.rename(&path("taken"), &path("x"), Replace::Yes).await),
        FaultKind::NotFound
    );
    assert_eq!(
        kind(far.rename(&path("taken"), &path("x"), Replace::No).await),
        FaultKind::NotFound
    );
    far.remove(&path("box/free")).await.unwrap();
}

async fn says_what_is_missing(far: &dyn Connector) {
    assert_eq!(far.stat(&path("no/such")).await.unwrap(), None);
    assert_eq!(kind(take(far, "no-such", 0).await), FaultKind::NotFound);
    assert_eq!(
        kind(far.list(&path("no-such"), 5).await),
        FaultKind::NotFound
    );
    assert_eq!(
        kind(far.remove(&path("no-such")).await),
        FaultKind::NotFound
    );
    assert_eq!(kind(far.mkdir(&path("no/such")).await), FaultKind::NotFound);
    assert_eq!(
        kind(far.write(&path("no/such"), WriteOptions::default()).await),
        FaultKind::NotFound
    );
}

#[tokio::test]
async fn the_suite_holds_for_local_folders() {
    let root = tempfile::tempdir().unwrap();
    suite(open_local(local(root.path())).await.unwrap().as_ref()).await;
}

#[tokio::test]
async fn the_suite_holds_for_openssh() {
    let server = Sshd::start("");
    let far = open_sftp(sftp(&server, "ed25519")).await.unwrap();
    let can = far.capabilities();
    assert!(can.replaces_atomically && can.syncs && can.can_read_at && can.can_write_at);
    suite(far.as_ref()).await;
    far.close().await;
    let fault = far.stat(&path("/")).await.unwrap_err();
    assert!(fault.is_transient(), "{fault:?}");
}

#[tokio::test]
async fn a_probe_shows_each_step() {
    let server = Sshd::start("");
    let options = ProbeOptions {
        folder: path("/"),
        file_name: Some(".bailee-probe".to_owned()),
    };
    let spec = |config| ConnectorSpec::Sftp(config);
    let good = sftp(&server, "ed25519");
    let report = probe(spec(good.clone()), &guard(), &options).await;
    assert!(report.is_ok(), "{report:?}");
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "resolve", "connect", "host_key", "sign_in", "list", "write", "read", "delete"
        ]
    );
    assert_eq!(std::fs::read_dir(server.files()).unwrap().count(), 0);

    let report = probe(
        spec(SftpConfig {
            host_key: None,
            ..good.clone()
        }),
        &guard(),
        &options,
    )
    .await;
    let last = report.steps.last().unwrap();
    assert_eq!(
        (report.steps.len(), last.name.as_str(), last.is_ok),
        (3, "host_key", false)
    );
    assert_eq!(
        report.seen_host_key.as_ref().unwrap().fingerprint,
        server.host_fingerprint()
    );
    assert!(last.fix.is_some());

    let report = probe(spec(sftp(&server, "stranger")), &guard(), &options).await;
    assert_eq!(report.steps.last().unwrap().name.as_str(), "sign_in");
    let report = probe(spec(good), &EgressGuard::strict(), &options).await;
    assert_eq!((report.steps.len(), report.is_ok()), (1, false));

    let root = tempfile::tempdir().unwrap();
    let report = probe(ConnectorSpec::Local(local(root.path())), &guard(), &options).await;
    assert!(report.is_ok(), "{report:?}");
}
