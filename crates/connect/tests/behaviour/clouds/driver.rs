//! What emulators of object stores have in common: lines that are cut, and the services' own clients.

use std::ops::Range;
use std::path::Path;
use std::process::Command;

use bailee_connect::{Connector, FaultKind, Replace, Result, WriteOptions};
use bytes::Bytes;

use super::outside::printed;
use crate::cutting::Cutting;
use crate::path;
use crate::suite::{bytes, put, take};

/// Bytes that a line lives: at least a handshake and a small request.
pub(super) const LINE_BYTES: Range<u64> = 20_000..24_020_000;

/// More tries than the largest file can need; a driver that makes no progress ends.
const TRIES_MAX: usize = 200;

/// Where a write is, as an engine keeps it.
#[derive(Default)]
struct Checkpoint {
    offset: u64,
    token: Option<String>,
}

/// Writes `content` to `at`, going on from the last checkpoint after each fault, and says how many tries it took. `far`
/// leads through the cutting proxy, `straight` does not.
async fn persist(
    far: &dyn Connector,
    straight: &dyn Connector,
    at: &str,
    content: &Bytes,
    is_declared: bool,
) -> usize {
    let mut checkpoint = Checkpoint::default();
    for tries in 1..=TRIES_MAX {
        let Err(fault) = attempt(far, at, content, is_declared, &mut checkpoint).await else {
            return tries;
        };
        match fault.kind() {
            // The answer to the last request may have been lost, not the request.
            FaultKind::NotFound | FaultKind::OffsetBeyondEnd => {
                let found = straight.stat(&path(at)).await.unwrap();
                if found.is_some_and(|entry| entry.size_bytes == Some(content.len() as u64)) {
                    return tries;
                }
                checkpoint = Checkpoint::default();
            }
            _ => assert!(
                fault.is_transient(),
                "a cut line is not for good: {fault:?}"
            ),
        }
    }
    unreachable!("{TRIES_MAX} tries were not enough")
}

async fn attempt(
    far: &dyn Connector,
    at: &str,
    content: &Bytes,
    is_declared: bool,
    checkpoint: &mut Checkpoint,
) -> Result<u64> {
    let options = WriteOptions {
        offset: checkpoint.offset,
        token: checkpoint.token.clone(),
        size_hint: is_declared.then_some(content.len() as u64),
        replace: Replace::Yes,
    };
    let mut writer = far.write(&path(at), options).await?;
    let rest = content.slice(checkpoint.offset as usize..);
    for piece in rest.chunks(300_007) {
        let taken = writer.write(Bytes::copy_from_slice(piece)).await;
        if writer.confirmed_bytes() > checkpoint.offset {
            checkpoint.offset = writer.confirmed_bytes();
            checkpoint.token = writer.token();
        }
        taken?;
    }
    writer.finish().await
}

/// Reads all of `at`, going on where a cut line ended.
async fn take_whole(far: &dyn Connector, at: &str, size: usize) -> Vec<u8> {
    use bailee_connect::ReadFrom;
    use futures::StreamExt;
    let mut all = Vec::with_capacity(size);
    for _ in 0..TRIES_MAX {
        let from = ReadFrom::offset(all.len() as u64);
        let fault = match far.read(&path(at), from).await {
            Ok(mut stream) => loop {
                match stream.next().await {
                    Some(Ok(piece)) => all.extend_from_slice(&piece),
                    Some(Err(fault)) => break fault,
                    None => return all,
                }
            },
            Err(fault) => fault,
        };
        assert!(fault.is_transient(), "{fault:?}");
    }
    unreachable!("{TRIES_MAX} tries were not enough")
}

/// Writes and reads `content` over a line that is cut, its size declared or not: it is there once and whole. `client` is
/// the service's own.
pub(super) async fn lose_nothing(
    cutting: &Cutting,
    far: &dyn Connector,
    straight: &dyn Connector,
    content: Bytes,
    client: impl Fn(&str, &[&str]) -> Command,
) {
    for is_declared in [true, false] {
        let cuts = cutting.cuts();
        persist(far, straight, "cut", &content, is_declared).await;
        assert!(cutting.cuts() > cuts, "no line was cut");
        assert!(take(straight, "cut", 0).await.unwrap() == content);
        assert!(take_whole(far, "cut", content.len()).await == content);
        assert_eq!(printed(&mut client("names", &[])), "cut");
        straight.remove(&path("cut")).await.unwrap();
    }
}

/// The service's own `client` reads what we write, and the other way round.
pub(super) async fn agree_with_the_services_client(
    far: &dyn Connector,
    folder: &Path,
    client: impl Fn(&str, &[&str]) -> Command,
) {
    let content = bytes(20_000_003);
    put(far, "ours/ä b+%.bin", content.clone()).await;
    let file = folder.join("content");
    let name = file.to_str().unwrap();
    printed(&mut client("get", &["ours/ä b+%.bin", name]));
    assert!(std::fs::read(&file).unwrap() == content);
    printed(&mut client("put", &["theirs/a&b.bin", name]));
    assert!(take(far, "theirs/a&b.bin", 0).await.unwrap() == content);
    let end = take(far, "theirs/a&b.bin", 19_999_999).await.unwrap();
    assert!(end == content.slice(19_999_999..));
}
