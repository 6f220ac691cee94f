//! A proxy that cuts its lines after a number of bytes that a seed decides, and a driver that goes on after each cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bailee_connect::{Connector, FaultKind, Replace, Result, WriteOptions};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::path;

/// Bytes that a line lives at least: a handshake and a small request.
const LINE_BYTES_MIN: u64 = 20_000;
/// Bytes that are added by chance, at most.
const LINE_BYTES_SPREAD: u64 = 24_000_000;
/// More tries than the largest file can need; a driver that makes no progress ends.
const TRIES_MAX: usize = 200;

/// Relays to a port of this machine until it is dropped.
pub(crate) struct Cutting {
    pub(crate) port: u16,
    /// Lines that were cut so far.
    pub(crate) cuts: Arc<AtomicU64>,
    _lines: JoinSet<()>,
}

impl Cutting {
    pub(crate) async fn before(far_port: u16, seed: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&cuts);
        let mut lines = JoinSet::new();
        lines.spawn(async move {
            let (mut state, mut under_way) = (seed | 1, JoinSet::new());
            while let Ok((near, _)) = listener.accept().await {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let life = LINE_BYTES_MIN + (state >> 8) % LINE_BYTES_SPREAD;
                under_way.spawn(relay(near, far_port, life, Arc::clone(&counted)));
            }
        });
        Self {
            port,
            cuts,
            _lines: lines,
        }
    }
}

async fn relay(mut near: TcpStream, far_port: u16, mut left: u64, cuts: Arc<AtomicU64>) {
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", far_port)).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    while left > 0 {
        let passed = tokio::select! {
            read = near.read(&mut up) => pass(&mut far, &up, read.unwrap_or(0), left).await,
            read = far.read(&mut down) => pass(&mut near, &down, read.unwrap_or(0), left).await,
        };
        match passed {
            Some(bytes) => left -= bytes,
            None => return,
        }
    }
    cuts.fetch_add(1, Ordering::SeqCst);
}

/// Passes at most `left` of the first `count` bytes on; `None` at the end of the line.
async fn pass(to: &mut TcpStream, bytes: &[u8], count: usize, left: u64) -> Option<u64> {
    let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
    let bytes = bytes.get(..count).filter(|bytes| !bytes.is_empty())?;
    to.write_all(bytes).await.ok()?;
    Some(count as u64)
}

/// Where a write is, as an engine keeps it.
#[derive(Default)]
struct Checkpoint {
    offset: u64,
    token: Option<String>,
}

/// Writes `content` to `at`, going on from the last checkpoint after each fault, and says how many tries it took. `far`
/// leads through the cutting proxy, `straight` does not.
pub(crate) async fn persist(
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
pub(crate) async fn take_whole(far: &dyn Connector, at: &str, size: usize) -> Vec<u8> {
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
