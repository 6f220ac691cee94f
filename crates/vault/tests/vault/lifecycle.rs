//! Files come and go as promised: none for inline content, none of an upload that ended early, none with plain bytes.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use bailee_model::{BlobId, TenantId};
use bailee_vault::{Disk, SealError, StoredBlob, Vault, VaultLimits, limit};
use bytes::Bytes;
use futures::{StreamExt, stream};

use crate::kit::{Kit, chunks, files, pattern};

/// Waits for the threads of the pool to do what they were told; the time only bounds a failing test.
async fn until_no_file_is_left(kit: &Kit) {
    for _ in 0..1000 {
        if files(kit.folder.path()).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("left: {:?}", files(kit.folder.path()));
}

#[tokio::test]
async fn inline_content_makes_no_file() {
    let kit = Kit::new();
    kit.seal(&pattern(65_536), 65_536).await;
    assert!(files(kit.folder.path()).is_empty());
    kit.seal(&pattern(65_537), 65_536).await;
    assert_eq!(files(kit.folder.path()).len(), 1);
}

#[tokio::test]
async fn files_are_private_opaque_and_sealed() {
    let kit = Kit::new();
    let canary = b"the canary sings in plain sight ";
    let content = canary.repeat(40_000);
    kit.seal(&content, 0).await;
    let path = kit.file();
    let under = path
        .strip_prefix(kit.folder.path())
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(under, format!("blobs/{}/0b/{}", kit.tenant, kit.blob));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for folder in path.ancestors().skip(1).take(3) {
        assert_eq!(
            fs::metadata(folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
    let written = fs::read(&path).unwrap();
    assert!(!written.windows(16).any(|window| window == &canary[..16]));
}

#[tokio::test]
async fn a_stream_that_fails_leaves_nothing() {
    let kit = Kit::new();
    let pieces = chunks(&pattern(10 * limit::BATCH_BYTES), 65_536)
        .map(|chunk| chunk.map_err(|never| match never {}))
        .chain(stream::iter([Err(io::Error::other("reset"))]));
    let ended = kit.vault.seal(kit.command(0), pieces, &kit.chance).await;
    assert!(matches!(ended, Err(SealError::Stream(_))));
    until_no_file_is_left(&kit).await;
}

#[tokio::test]
async fn a_dropped_upload_leaves_nothing() {
    let kit = Kit::new();
    let pieces = chunks(&pattern(10 * limit::BATCH_BYTES), 65_536).chain(stream::pending());
    let sealing = kit.vault.seal(kit.command(0), pieces, &kit.chance);
    let ended = tokio::time::timeout(Duration::from_millis(300), sealing).await;
    assert!(ended.is_err());
    until_no_file_is_left(&kit).await;
}

#[tokio::test]
async fn a_blob_in_the_making_has_its_temporary_name_only() {
    let kit = Kit::new();
    let pieces = chunks(&pattern(10 * limit::BATCH_BYTES), 65_536).chain(stream::pending());
    let mut sealing = Box::pin(kit.vault.seal(kit.command(0), pieces, &kit.chance));
    let seen = async {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let listed: Vec<StoredBlob> = kit.vault.disk().list().map(Result::unwrap).collect();
            if let [stored] = listed.as_slice() {
                return *stored;
            }
        }
    };
    let stored = tokio::select! {
        _ = &mut sealing => panic!("the stream does not end"),
        stored = seen => stored,
    };
    assert!(stored.is_temporary);
    assert_eq!((stored.tenant, stored.blob), (kit.tenant, kit.blob));
    drop(sealing);
    until_no_file_is_left(&kit).await;
}

#[tokio::test]
async fn too_large_content_is_refused_and_removed() {
    let kit = Kit::new();
    let limits = VaultLimits {
        blob_bytes_max: 600_000,
    };
    let vault = Vault::new(Disk::open(kit.folder.path()).unwrap(), limits);
    let ended = vault
        .seal(
            kit.command(0),
            chunks(&pattern(600_001), 65_536),
            &kit.chance,
        )
        .await;
    assert!(matches!(
        ended,
        Err(SealError::TooLarge {
            limit_bytes: 600_000
        })
    ));
    until_no_file_is_left(&kit).await;
    let sealed = vault
        .seal(
            kit.command(0),
            chunks(&pattern(600_000), 65_536),
            &kit.chance,
        )
        .await;
    assert_eq!(sealed.unwrap().size_bytes, 600_000);
}

#[tokio::test]
async fn an_id_is_never_sealed_over() {
    let kit = Kit::new();
    let first = kit.seal(&pattern(300_000), 0).await;
    let ended = kit
        .vault
        .seal(kit.command(0), chunks(b"x", 1), &kit.chance)
        .await;
    assert!(matches!(ended, Err(SealError::Disk(_))));
    assert_eq!(files(kit.folder.path()).len(), 1);
    assert!(kit.read(&first, 0..first.size_bytes).await.is_ok());
}

#[tokio::test]
async fn what_is_stored_is_listed_and_removed_by_tenant() {
    let kit = Kit::new();
    let mut expected = Vec::new();
    for tenant in 1..4 {
        for blob in 1..40 {
            let mut command = kit.command(0);
            command.tenant = TenantId::from_bits(tenant);
            command.blob = BlobId::from_bits(blob);
            let sealed = kit
                .vault
                .seal(command, chunks(b"content", 3), &kit.chance)
                .await
                .unwrap();
            expected.push((
                TenantId::from_bits(tenant),
                BlobId::from_bits(blob),
                sealed.sealed_bytes,
            ));
        }
    }
    fs::write(kit.folder.path().join("blobs/foreign"), b"").unwrap();
    let disk = kit.vault.disk();
    let mut listed: Vec<_> = disk
        .list()
        .map(Result::unwrap)
        .map(|stored| (stored.tenant, stored.blob, stored.sealed_bytes))
        .collect();
    listed.sort();
    assert_eq!(listed, expected);
    assert_eq!(disk.list_tenant(TenantId::from_bits(2)).count(), 39);
    assert_eq!(disk.list_tenant(TenantId::from_bits(9)).count(), 0);
    let (tenant, blob) = (TenantId::from_bits(2), BlobId::from_bits(5));
    assert!(kit.vault.remove(tenant, blob).await.unwrap());
    assert!(!kit.vault.remove(tenant, blob).await.unwrap());
    assert_eq!(disk.list().count(), expected.len() - 1);
    assert!(disk.free_bytes().unwrap() > 0);
}

#[tokio::test]
async fn sealing_and_opening_may_move_between_threads() {
    let kit = Kit::new();
    let task = tokio::spawn(async move {
        let content = pattern(2 * limit::BATCH_BYTES);
        let sealed = kit
            .vault
            .seal(kit.command(0), chunks(&content, 9_000), &kit.chance)
            .await
            .unwrap();
        let opened = kit.vault.open(
            kit.opening(sealed.size_bytes, sealed.placement),
            0..sealed.size_bytes,
        );
        let pieces = tokio::spawn(opened.collect::<Vec<_>>()).await.unwrap();
        let opened: Vec<u8> = pieces.into_iter().flat_map(Result::unwrap).collect();
        assert!(opened == content);
    });
    task.await.unwrap();
}

#[tokio::test]
async fn opening_may_be_given_up_at_any_time() {
    let kit = Kit::new();
    let sealed = kit.seal(&pattern(8 * limit::BATCH_BYTES), 0).await;
    let mut opened = kit.vault.open(
        kit.opening(sealed.size_bytes, sealed.placement.clone()),
        0..sealed.size_bytes,
    );
    let first: Bytes = opened.next().await.unwrap().unwrap();
    drop(opened);
    assert_eq!(first.len(), limit::BATCH_BYTES);
}
