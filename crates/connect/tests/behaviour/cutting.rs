//! A line that is cut at random bytes, and one who goes on after each cut until everything is there.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bailee_connect::{
    ConnectorSpec, FaultKind, ReadFrom, RemoteWriter, Result, WriteOptions, open,
};
use bytes::Bytes;
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{guard, path};

/// More tries than any seed needs.
const TRIES_MAX: usize = 200;

/// Passes bytes on to a port and cuts a connection after a random number of them, so often; then it lets all pass.
pub(crate) struct Cutting {
    pub(crate) port: u16,
    cuts: Arc<AtomicUsize>,
}

impl Cutting {
    /// The first `cuts` connections are cut after so many bytes, both ways counted together.
    pub(crate) async fn start(to: u16, seed: u64, cuts: usize, bytes: Range<u64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicUsize::new(cuts));
        let done = Arc::new(AtomicUsize::new(0));
        let (cuts, state) = (Arc::clone(&done), Arc::new(AtomicU64::new(seed)));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let is_cut = left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok();
                let left_bytes = if is_cut {
                    bytes.start + random(&state) % (bytes.end - bytes.start)
                } else {
                    u64::MAX
                };
                let done = Arc::clone(&done);
                tokio::spawn(async move {
                    // Those that end by themselves before are not counted.
                    if relay(near, to, left_bytes).await.is_ok_and(|is_cut| is_cut) {
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Self { port, cuts }
    }

    /// How many connections have been cut.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

/// The next number of a sequence (splitmix64).
fn random(state: &AtomicU64) -> u64 {
    let step = 0x9e37_79b9_7f4a_7c15;
    let mut z = state.fetch_add(step, Ordering::SeqCst).wrapping_add(step);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Passes bytes on until either side ends, or so many have passed: true then.
async fn relay(mut near: TcpStream, to: u16, mut left: u64) -> std::io::Result<bool> {
    let mut far = TcpStream::connect(("127.0.0.1", to)).await?;
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    while left > 0 {
        let (count, buffer, is_up) = tokio::select! {
            read = near.read(&mut up) => (read?, &up, true),
            read = far.read(&mut down) => (read?, &down, false),
        };
        if count == 0 {
            return Ok(false);
        }
        let passed = left.min(count as u64);
        let bytes = buffer.get(..passed as usize).unwrap_or_default();
        if is_up {
            far.write_all(bytes).await?;
        } else {
            near.write_all(bytes).await?;
        }
        left -= passed;
    }
    Ok(true)
}

/// Where to go on.
#[derive(Default)]
struct Checkpoint {
    offset: u64,
    token: Option<String>,
}

/// Writes `content` to `at` as the engine would: after each transient fault anew from the last checkpoint. Returns how
/// many tries it took.
pub(crate) async fn put_until_done(spec: &ConnectorSpec, at: &str, content: &Bytes) -> usize {
    let mut checkpoint = Checkpoint::default();
    for tried in 1..=TRIES_MAX {
        let Err(fault) = try_to_put(spec, at, content, &mut checkpoint).await else {
            return tried;
        };
        match fault.kind() {
            FaultKind::OffsetBeyondEnd => checkpoint = Checkpoint::default(),
            _ => assert!(fault.is_transient(), "{fault:?}"),
        }
    }
    unreachable!("not done after {TRIES_MAX} tries");
}

async fn try_to_put(
    spec: &ConnectorSpec,
    at: &str,
    content: &Bytes,
    checkpoint: &mut Checkpoint,
) -> Result<()> {
    let far = open(spec.clone(), &guard()).await?;
    let options = WriteOptions {
        offset: checkpoint.offset,
        token: checkpoint.token.clone(),
        size_hint: Some(content.len() as u64),
        ..WriteOptions::default()
    };
    let mut writer = far.write(&path(at), options).await?;
    let begun = checkpoint.offset as usize;
    for piece in content.slice(begun..).chunks(100_000) {
        let written = writer.write(Bytes::copy_from_slice(piece)).await;
        note(writer.as_ref(), checkpoint);
        written?;
    }
    let flushed = writer.flush().await;
    note(writer.as_ref(), checkpoint);
    flushed?;
    assert_eq!(writer.finish().await?, content.len() as u64);
    Ok(())
}

fn note(writer: &dyn RemoteWriter, checkpoint: &mut Checkpoint) {
    assert!(writer.confirmed_bytes() >= checkpoint.offset);
    checkpoint.offset = writer.confirmed_bytes();
    checkpoint.token = writer.token();
}

/// Reads `at` as the engine would: after each transient fault on from the last byte, of the version first seen.
pub(crate) async fn take_until_done(spec: &ConnectorSpec, at: &str) -> Vec<u8> {
    let (mut got, mut version) = (Vec::new(), None);
    for _ in 0..TRIES_MAX {
        match try_to_take(spec, at, &mut got, &mut version).await {
            Ok(()) => return got,
            Err(fault) => assert!(fault.is_transient(), "{fault:?}"),
        }
    }
    unreachable!("not done after {TRIES_MAX} tries");
}

async fn try_to_take(
    spec: &ConnectorSpec,
    at: &str,
    got: &mut Vec<u8>,
    version: &mut Option<String>,
) -> Result<()> {
    let far = open(spec.clone(), &guard()).await?;
    if version.is_none() {
        *version = far.stat(&path(at)).await?.unwrap().version;
    }
    let from = ReadFrom {
        offset: got.len() as u64,
        version: version.clone(),
    };
    let mut stream = far.read(&path(at), from).await?;
    while let Some(piece) = stream.try_next().await? {
        got.extend_from_slice(&piece);
    }
    Ok(())
}
