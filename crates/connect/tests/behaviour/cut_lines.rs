//! A line that is cut: passes bytes on and hangs up after a number of them, drawn from a seed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// Bytes passed on at once.
const PIECE_BYTES: usize = 16 * 1024;

/// A running line; it ends when dropped.
pub(crate) struct Cutting {
    pub(crate) port: u16,
    cuts: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

impl Cutting {
    /// A line to `port` on this machine. Each connection is cut after up to `bytes_max` bytes in both directions together.
    pub(crate) async fn start(port: u16, seed: u64, bytes_max: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let SocketAddr::V4(here) = listener.local_addr().unwrap() else {
            unreachable!("bound to an IPv4 address")
        };
        let cuts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&cuts);
        let task = tokio::spawn(async move {
            let mut state = seed;
            while let Ok((near, _)) = listener.accept().await {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let left = Arc::new(AtomicU64::new((state >> 33) % bytes_max));
                tokio::spawn(pass(near, port, left, Arc::clone(&counted)));
            }
        });
        Self {
            port: here.port(),
            cuts,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

/// Passes on until either side ends or the bytes are used up; both connections end then.
async fn pass(near: TcpStream, port: u16, left: Arc<AtomicU64>, cuts: Arc<AtomicUsize>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let (mut near_read, mut near_write) = near.into_split();
    let (mut far_read, mut far_write) = far.into_split();
    let is_cut = tokio::select! {
        is_cut = one_way(&mut near_read, &mut far_write, &left) => is_cut,
        is_cut = one_way(&mut far_read, &mut near_write, &left) => is_cut,
    };
    if is_cut {
        cuts.fetch_add(1, Ordering::SeqCst);
    }
}

/// True if it ended because the bytes are used up.
async fn one_way(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    left: &AtomicU64,
) -> bool {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let Ok(count @ 1..) = from.read(&mut piece).await else {
            return false;
        };
        let before = left.load(Ordering::SeqCst);
        let passed = (count as u64).min(before);
        left.store(before - passed, Ordering::SeqCst);
        let Some(piece) = piece.get(..passed as usize) else {
            return false;
        };
        if to.write_all(piece).await.is_err() {
            return false;
        }
        if passed < count as u64 {
            return true;
        }
    }
}
