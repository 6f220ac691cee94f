//! What a store that speaks S3 must do besides the suite: go on after cuts, be read by others, and not be believed.

mod hostile;

use bailee_connect::{
    Connector, ConnectorSpec, EntryKind, FaultKind, ProbeOptions, RemotePath, Replace, Result,
    S3Config, S3Encryption, TlsOptions, WriteOptions, open, probe,
};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::clouds::clock;
use super::cutting::Cutting;
use super::moto::Moto;
use super::{bytes, guard, kind, path, put, suite, take};

/// Larger than two parts.
const LARGE_BYTES: usize = 20 * 1024 * 1024 + 7;
/// Larger than what a line passes on before it is cut, as a rule, and smaller than what a part needs, at times.
const CUT_BYTES_MAX: u64 = 14 * 1024 * 1024;
/// Tries that a line that is cut may take.
const TRIES_MAX: usize = 200;

fn config(store: &Moto, port: u16) -> S3Config {
    let secret = store.secret_access_key.clone().into();
    S3Config {
        endpoint: Some(format!("https://127.0.0.1:{port}").parse().unwrap()),
        tls: TlsOptions {
            extra_roots_pem: store.certificate_pem.clone(),
            ..TlsOptions::default()
        },
        ..S3Config::new("us-east-1", "box", &store.access_key_id, secret, clock())
    }
}

async fn open_s3(config: S3Config) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::S3(Box::new(config)), &guard()).await
}

#[tokio::test]
async fn the_suite_holds_for_s3() {
    let store = Moto::start();
    let far = open_s3(config(&store, store.port)).await.unwrap();
    suite(far.as_ref()).await;
    let beneath = S3Config {
        prefix: Some(path("in/ä b+%")),
        ..config(&store, store.port)
    };
    suite(open_s3(beneath).await.unwrap().as_ref()).await;
    let left = store.other(&["count"]);
    assert_eq!(left.get("objects").unwrap(), &serde_json::json!([]));
    put(far.as_ref(), "digest", bytes(1_000)).await;
    let digest = far.sha256(&path("digest")).await.unwrap();
    assert_eq!(digest, Some(Sha256::digest(bytes(1_000)).into()));
}

/// Writes `content` as the engine does: after each fault it goes on at what was confirmed. Returns how often it went on
/// inside the file.
async fn drive(config: &S3Config, at: &RemotePath, content: &Bytes) -> usize {
    let (mut offset, mut token, mut resumed) = (0, None, 0);
    let mut tries = 0;
    loop {
        tries += 1;
        assert!(tries < TRIES_MAX, "no end at {offset}");
        let Ok(far) = open_s3(config.clone()).await else {
            continue;
        };
        let options = WriteOptions {
            offset,
            token: token.clone(),
            size_hint: Some(content.len() as u64),
            ..WriteOptions::default()
        };
        let mut writer = match far.write(at, options).await {
            Ok(writer) => writer,
            // The answer to the last request was lost, and the file is there.
            Err(fault) if fault.kind() == &FaultKind::NotFound => return resumed,
            Err(fault) => {
                assert!(fault.is_transient(), "{fault:?}");
                continue;
            }
        };
        resumed += usize::from(offset > 0);
        let mut is_cut = false;
        for piece in content.slice(offset as usize..).chunks(1_000_000) {
            let written = writer.write(Bytes::copy_from_slice(piece)).await;
            (offset, token) = (writer.confirmed_bytes(), writer.token());
            if let Err(fault) = written {
                assert!(fault.is_transient(), "{fault:?}");
                is_cut = true;
                break;
            }
        }
        if is_cut {
            continue;
        }
        match writer.finish().await {
            Ok(count) => {
                assert_eq!(count, content.len() as u64);
                return resumed;
            }
            Err(fault) => assert!(fault.is_transient(), "{fault:?}"),
        }
    }
}

#[tokio::test]
async fn a_line_that_is_cut_leaves_one_whole_file() {
    let store = Moto::start();
    let content = bytes(LARGE_BYTES);
    let (mut cuts, mut resumed) = (0, 0);
    for seed in 1..=3 {
        let line = Cutting::start(store.port, seed, usize::MAX, 0..CUT_BYTES_MAX).await;
        let name = format!("cut-{seed}");
        resumed += drive(&config(&store, line.port), &path(&name), &content).await;
        cuts += line.cuts();
        let far = open_s3(config(&store, store.port)).await.unwrap();
        assert!(
            take(far.as_ref(), &name, 0).await.unwrap() == content,
            "{name}"
        );
    }
    assert!(
        cuts > 0 && resumed > 0,
        "{cuts} cuts, {resumed} writes that went on"
    );
    println!("{cuts} cuts, {resumed} writes that went on");
    let seen = store.other(&["count"]);
    assert_eq!(
        seen.get("objects").unwrap(),
        &serde_json::json!(["cut-1", "cut-2", "cut-3"])
    );
}

#[tokio::test]
async fn other_programs_read_what_was_written_and_the_other_way_round() {
    let store = Moto::start();
    let far = open_s3(S3Config {
        server_side_encryption: Some(S3Encryption::Aes256),
        storage_class: Some("STANDARD_IA".to_owned()),
        copy_bytes_max: 6 * 1024 * 1024,
        ..config(&store, store.port)
    })
    .await
    .unwrap();
    for size in [0, 5, LARGE_BYTES] {
        put(far.as_ref(), "to/ä b+%.bin", bytes(size)).await;
        let seen = store.other(&["see", "to/ä b+%.bin"]);
        let digest: Vec<String> = Sha256::digest(bytes(size))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let expected = serde_json::json!({
            "size": size, "sha256": digest.concat(), "type": "application/octet-stream", "metadata": {},
            "encryption": "AES256", "class": "STANDARD_IA",
        });
        assert_eq!(seen, expected);
    }
    far.remove(&path("to/ä b+%.bin")).await.unwrap();
    // 20 MiB are copied in parts here, 5 bytes at once; what is attached to a file goes along.
    for size in [5, LARGE_BYTES] {
        store.other(&["put", "from.csv", &size.to_string()]);
        assert!(take(far.as_ref(), "from.csv", 0).await.unwrap() == bytes(size));
        assert!(take(far.as_ref(), "from.csv", 3).await.unwrap() == bytes(size).slice(3..));
        far.rename(&path("from.csv"), &path("moved.csv"), Replace::Yes)
            .await
            .unwrap();
        assert!(take(far.as_ref(), "moved.csv", 0).await.unwrap() == bytes(size));
        let seen = store.other(&["see", "moved.csv"]);
        assert_eq!(seen.get("type").unwrap(), "text/csv", "{size}");
        assert_eq!(
            seen.get("metadata").unwrap(),
            &serde_json::json!({"origin": "Rhein Main"}),
            "{size}"
        );
    }
    let left = store.other(&["count"]);
    let expected = serde_json::json!({"uploads": 0, "objects": ["moved.csv"]});
    assert_eq!(left, expected);
}

#[tokio::test]
async fn marks_are_folders_and_odd_keys_are_counted() {
    let store = Moto::start();
    for key in [
        "box/", "box/sub/", "box//x", "box/../y", "box/./z", "box/a", "/lead",
    ] {
        store.other(&["mark", key]);
    }
    let far = open_s3(config(&store, store.port)).await.unwrap();
    let listing = far.list(&path("box"), 10).await.unwrap();
    let names: Vec<_> = listing
        .entries
        .iter()
        .map(|e| (e.name.as_str(), e.kind))
        .collect();
    assert_eq!(names, [("a", EntryKind::File), ("sub", EntryKind::Folder)]);
    assert_eq!((listing.unnameable_count, listing.is_cut), (3, false));
    let top = far.list(&path("/"), 10).await.unwrap();
    assert_eq!((top.entries.len(), top.unnameable_count), (1, 1));
    let sub = far.stat(&path("box/sub")).await.unwrap().unwrap();
    assert_eq!(sub.kind, EntryKind::Folder);
    far.mkdir(&path("new")).await.unwrap();
    assert!(far.list(&path("new"), 5).await.unwrap().entries.is_empty());
    assert_eq!(kind(far.mkdir(&path("new")).await), FaultKind::Exists);
}

#[tokio::test]
async fn wrong_credentials_and_buckets_are_told_apart() {
    let store = Moto::start();
    let good = config(&store, store.port);
    let wrong = |secret: &str, id: &str, bucket: &str| {
        let config = S3Config {
            secret_access_key: secret.to_owned().into(),
            access_key_id: id.to_owned(),
            bucket: bucket.to_owned(),
            ..good.clone()
        };
        async { kind(open_s3(config).await) }
    };
    let (secret, id) = (
        store.secret_access_key.as_str(),
        store.access_key_id.as_str(),
    );
    assert_eq!(
        wrong("not-the-secret", id, "box").await,
        FaultKind::AuthFailed
    );
    assert_eq!(
        wrong(secret, "AKIANOBODY", "box").await,
        FaultKind::AuthFailed
    );
    assert_eq!(wrong(secret, id, "no-such-box").await, FaultKind::NotFound);
    let options = ProbeOptions {
        folder: path("/"),
        file_name: Some(".bailee-probe".to_owned()),
    };
    let report = probe(ConnectorSpec::S3(Box::new(good)), &guard(), &options).await;
    assert!(report.is_ok(), "{report:?}");
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["resolve", "sign_in", "list", "write", "read", "delete"]
    );
}

/// The key was free when the write began; the store itself refuses, as this one does when writing (not when copying).
#[tokio::test]
async fn who_comes_between_is_not_replaced() {
    let store = Moto::start();
    let far = open_s3(config(&store, store.port)).await.unwrap();
    let keep = WriteOptions {
        replace: Replace::No,
        ..WriteOptions::default()
    };
    for size in [5, 9_000_000] {
        let mut writer = far.write(&path("taken"), keep.clone()).await.unwrap();
        writer.write(bytes(size)).await.unwrap();
        put(far.as_ref(), "taken", Bytes::from_static(b"first")).await;
        assert_eq!(kind(writer.finish().await), FaultKind::Exists, "{size}");
        assert_eq!(take(far.as_ref(), "taken", 0).await.unwrap(), b"first");
        far.remove(&path("taken")).await.unwrap();
    }
}
