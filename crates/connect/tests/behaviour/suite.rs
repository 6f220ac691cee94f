//! What every connector must do, each test chosen by what it says it can.

use std::time::Duration;

use bailee_connect::{
    Capabilities, Connector, EntryKind, Fault, FaultKind, ReadFrom, Replace, Result, WriteOptions,
};
use bytes::Bytes;
use futures::TryStreamExt;

use super::path;

/// Larger than the smallest part of every protocol that writes in parts, so that something of it is confirmed.
const LARGE_BYTES: usize = 20 * 1024 * 1024 + 7;

/// Bytes that differ everywhere, so that a swapped or repeated stretch is seen.
pub(crate) fn bytes(count: usize) -> Bytes {
    (0..count as u64)
        .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

pub(crate) async fn put(far: &dyn Connector, at: &str, content: Bytes) {
    let mut writer = far.write(&path(at), WriteOptions::default()).await.unwrap();
    writer.write(content.clone()).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), content.len() as u64);
}

pub(crate) async fn take(far: &dyn Connector, at: &str, offset: u64) -> Result<Vec<u8>> {
    let stream = far.read(&path(at), ReadFrom::offset(offset)).await?;
    let pieces: Vec<Bytes> = stream.try_collect().await?;
    Ok(pieces.concat())
}

pub(crate) fn kind<T>(result: Result<T>) -> FaultKind {
    result
        .err()
        .map(|fault: Fault| fault.kind().clone())
        .unwrap()
}

/// The suite, against an empty far system.
pub(crate) async fn suite(far: &dyn Connector) {
    let can = far.capabilities();
    writes_and_reads(far).await;
    if can.can_write_at {
        goes_on_where_it_was_confirmed(far).await;
    }
    if can.appears_whole {
        appears_whole(far).await;
    } else {
        cuts_what_lies_behind(far).await;
    }
    if can.can_list {
        lists(far, can).await;
    }
    if can.can_rename {
        renames(far, can).await;
    }
    if can.can_copy {
        copies(far).await;
    }
    if can.can_set_time {
        keeps_a_given_time(far).await;
    }
    notices_other_content(far).await;
    says_what_is_missing(far, can).await;
}

async fn keeps_a_given_time(far: &dyn Connector) {
    put(far, "dated", bytes(5)).await;
    let now = far.stat(&path("dated")).await.unwrap().unwrap().modified;
    let time = now.unwrap().minus(Duration::from_hours(1000));
    far.set_modified(&path("dated"), time).await.unwrap();
    let found = far.stat(&path("dated")).await.unwrap().unwrap();
    // Whole seconds: what the poorest of them keep.
    assert_eq!(found.modified.unwrap().seconds(), time.seconds());
    assert_eq!(found.size_bytes, Some(5));
    let missing = far.set_modified(&path("nothing"), time).await;
    assert_eq!(kind(missing), FaultKind::NotFound);
    far.remove(&path("dated")).await.unwrap();
}

async fn writes_and_reads(far: &dyn Connector) {
    let can = far.capabilities();
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
        if can.can_read_at {
            reads_inside(far, &content).await;
        }
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
    if let Some(digest) = far.sha256(&path("pieces")).await.unwrap() {
        use sha2::Digest;
        assert_eq!(
            digest,
            <[u8; 32]>::from(sha2::Sha256::digest(bytes(300_000)))
        );
    }
    far.remove(&path("pieces")).await.unwrap();
    far.remove(&path("a.bin")).await.unwrap();
    assert_eq!(far.stat(&path("a.bin")).await.unwrap(), None);
}

async fn reads_inside(far: &dyn Connector, content: &Bytes) {
    let size = content.len();
    let third = take(far, "/a.bin", size as u64 / 3).await.unwrap();
    assert!(third == content.slice(size / 3..));
    for beyond in [0, 5] {
        let nothing = take(far, "a.bin", size as u64 + beyond).await.unwrap();
        assert!(nothing.is_empty());
    }
}

async fn goes_on_where_it_was_confirmed(far: &dyn Connector) {
    let content = bytes(LARGE_BYTES);
    let options = WriteOptions {
        size_hint: Some(LARGE_BYTES as u64),
        ..WriteOptions::default()
    };
    let mut writer = far.write(&path("resume"), options.clone()).await.unwrap();
    for piece in content.slice(..18_000_000).chunks(1_000_000) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let offset = writer.flush().await.unwrap();
    assert!(offset > 0, "nothing of 18 MB was confirmed");
    assert_eq!(writer.confirmed_bytes(), offset);
    if !far.capabilities().appears_whole {
        assert_eq!(offset, 18_000_000);
    }
    let token = writer.token();
    writer
        .write(Bytes::from(vec![b'x'; 900_000]))
        .await
        .unwrap();
    drop(writer); // as after a crash: what lies behind the checkpoint is garbage
    let again = WriteOptions {
        offset,
        token: token.clone(),
        ..options.clone()
    };
    let mut writer = far.write(&path("resume"), again).await.unwrap();
    assert_eq!(writer.confirmed_bytes(), offset);
    writer
        .write(content.slice(offset as usize..))
        .await
        .unwrap();
    assert_eq!(writer.finish().await.unwrap(), LARGE_BYTES as u64);
    assert!(
        take(far, "resume", 0).await.unwrap() == content,
        "it went on wrongly"
    );
    far.remove(&path("resume")).await.unwrap();
    if let Some(token) = token {
        far.abandon(&path("resume"), &token).await.unwrap();
        let gone = WriteOptions {
            offset,
            token: Some(token),
            ..options
        };
        let late = match far.write(&path("resume"), gone).await {
            Ok(mut writer) => match writer.write(content.slice(offset as usize..)).await {
                Ok(()) => writer.finish().await.err(),
                Err(fault) => Some(fault),
            },
            Err(fault) => Some(fault),
        };
        let kind = late.unwrap().kind().clone();
        assert!(
            matches!(kind, FaultKind::NotFound | FaultKind::OffsetBeyondEnd),
            "a write that was given up went on: {kind:?}"
        );
        assert_eq!(far.stat(&path("resume")).await.unwrap(), None);
    }
}

/// Where files come in parts, nothing is seen of them before the end.
async fn appears_whole(far: &dyn Connector) {
    put(far, "whole", Bytes::from_static(b"old content")).await;
    let mut writer = far
        .write(&path("whole"), WriteOptions::default())
        .await
        .unwrap();
    writer.write(bytes(9_000_000)).await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(take(far, "whole", 0).await.unwrap(), b"old content");
    let token = writer.token();
    drop(writer);
    assert_eq!(take(far, "whole", 0).await.unwrap(), b"old content");
    if let Some(token) = token {
        far.abandon(&path("whole"), &token).await.unwrap();
        far.abandon(&path("whole"), &token).await.unwrap();
    }
    for size in [5, 9_000_000] {
        let keep = WriteOptions {
            replace: Replace::No,
            ..WriteOptions::default()
        };
        let refused = match far.write(&path("whole"), keep).await {
            Ok(mut writer) => match writer.write(bytes(size)).await {
                Ok(()) => writer.finish().await.err(),
                Err(fault) => Some(fault),
            },
            Err(fault) => Some(fault),
        };
        assert_eq!(refused.unwrap().kind(), &FaultKind::Exists, "{size} bytes");
        assert_eq!(take(far, "whole", 0).await.unwrap(), b"old content");
    }
    put(far, "whole", Bytes::from_static(b"new content")).await;
    assert_eq!(take(far, "whole", 0).await.unwrap(), b"new content");
    far.remove(&path("whole")).await.unwrap();
}

/// Where bytes go to the file itself, what was not confirmed is cut off.
async fn cuts_what_lies_behind(far: &dyn Connector) {
    if !far.capabilities().can_write_at {
        return;
    }
    let content = bytes(1_200_000);
    put(far, "cut", bytes(2_000_000)).await;
    let at = |offset| WriteOptions {
        offset,
        ..WriteOptions::default()
    };
    let mut writer = far.write(&path("cut"), at(1_000_000)).await.unwrap();
    writer.write(content.slice(1_000_000..)).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), 1_200_000);
    assert!(
        take(far, "cut", 0).await.unwrap() == content,
        "the tail was not cut off"
    );
    assert_eq!(
        kind(far.write(&path("cut"), at(1_200_001)).await),
        FaultKind::OffsetBeyondEnd
    );
    let missing = kind(far.write(&path("no-such"), at(5)).await);
    assert!(
        matches!(missing, FaultKind::NotFound | FaultKind::OffsetBeyondEnd),
        "{missing:?}"
    );
    far.remove(&path("cut")).await.unwrap();
}

async fn lists(far: &dyn Connector, can: Capabilities) {
    assert!(far.list(&path("/"), 10).await.unwrap().entries.is_empty());
    if can.has_folders {
        far.mkdir(&path("box")).await.unwrap();
        assert_eq!(kind(far.mkdir(&path("box")).await), FaultKind::Exists);
        far.mkdir(&path("box/sub")).await.unwrap();
    }
    for name in ["c", "ä b+%.csv", "a", "sub/deep"] {
        put(far, &format!("box/{name}"), Bytes::from_static(b"12345")).await;
    }
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
            ("ä b+%.csv", file)
        ]
    );
    assert_eq!((listing.is_cut, listing.unnameable_count), (false, 0));
    assert_eq!(listing.entries.first().unwrap().size_bytes, Some(5));
    let top = far.list(&path("/"), 10).await.unwrap();
    let top: Vec<_> = top
        .entries
        .iter()
        .map(|e| (e.name.as_str(), e.kind))
        .collect();
    assert_eq!(top, [("box", EntryKind::Folder)]);
    let folder = far.stat(&path("box")).await.unwrap().unwrap();
    assert_eq!(folder.kind, EntryKind::Folder);
    let cut = far.list(&path("box"), 2).await.unwrap();
    assert_eq!((cut.entries.len(), cut.is_cut), (2, true));
    assert_eq!(take(far, "box/ä b+%.csv", 0).await.unwrap(), b"12345");
    for name in ["c", "ä b+%.csv", "a", "sub/deep"] {
        far.remove(&path(&format!("box/{name}"))).await.unwrap();
    }
}

async fn renames(far: &dyn Connector, can: Capabilities) {
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
    if can.has_folders && far.stat(&path("box")).await.unwrap().is_none() {
        far.mkdir(&path("box")).await.unwrap();
    }
    far.rename(&path("taken"), &path("box/free"), Replace::No)
        .await
        .unwrap();
    assert_eq!(take(far, "box/free", 0).await.unwrap(), b"new content");
    for replace in [Replace::Yes, Replace::No] {
        assert_eq!(
            kind(far.rename(&path("taken"), &path("x"), replace).await),
            FaultKind::NotFound
        );
    }
    far.remove(&path("box/free")).await.unwrap();
}

async fn copies(far: &dyn Connector) {
    put(far, "first", Bytes::from_static(b"content")).await;
    far.copy(&path("first"), &path("second"), Replace::No)
        .await
        .unwrap();
    assert_eq!(take(far, "second", 0).await.unwrap(), b"content");
    assert_eq!(take(far, "first", 0).await.unwrap(), b"content");
    assert_eq!(
        kind(far.copy(&path("first"), &path("second"), Replace::No).await),
        FaultKind::Exists
    );
    far.copy(&path("first"), &path("second"), Replace::Yes)
        .await
        .unwrap();
    assert_eq!(
        kind(far.copy(&path("none"), &path("third"), Replace::Yes).await),
        FaultKind::NotFound
    );
    for name in ["first", "second"] {
        far.remove(&path(name)).await.unwrap();
    }
}

async fn notices_other_content(far: &dyn Connector) {
    put(far, "mark", Bytes::from_static(b"one")).await;
    let Some(version) = far.stat(&path("mark")).await.unwrap().unwrap().version else {
        far.remove(&path("mark")).await.unwrap();
        return;
    };
    let from = ReadFrom {
        offset: 1,
        version: Some(version),
    };
    let stream = far.read(&path("mark"), from.clone()).await.unwrap();
    let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"ne");
    // Of another size: some servers tell contents apart by size and second alone.
    put(far, "mark", Bytes::from_static(b"another")).await;
    let stream = match far.read(&path("mark"), from).await {
        Ok(stream) => stream.try_collect::<Vec<Bytes>>().await.err(),
        Err(fault) => Some(fault),
    };
    assert_eq!(stream.unwrap().kind(), &FaultKind::Changed);
    far.remove(&path("mark")).await.unwrap();
}

async fn says_what_is_missing(far: &dyn Connector, can: Capabilities) {
    assert_eq!(far.stat(&path("no/such")).await.unwrap(), None);
    assert_eq!(kind(take(far, "no-such", 0).await), FaultKind::NotFound);
    assert_eq!(
        kind(far.remove(&path("no-such")).await),
        FaultKind::NotFound
    );
    if can.can_list {
        assert_eq!(
            kind(far.list(&path("no-such"), 5).await),
            FaultKind::NotFound
        );
    }
    if !can.has_folders {
        return;
    }
    assert_eq!(kind(far.mkdir(&path("no/such")).await), FaultKind::NotFound);
    let nowhere = match far.write(&path("no/such"), WriteOptions::default()).await {
        Ok(writer) => writer.finish().await.err(),
        Err(fault) => Some(fault),
    };
    assert_eq!(nowhere.unwrap().kind(), &FaultKind::NotFound);
}
