//! A relay that cuts its lines after some bytes, for a protocol with connections of two kinds.
//!
//! It listens at another address of this machine, at the same ports: data connections go where the control connection
//! goes, so they come by here, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::peer::Ftpd;

pub(crate) const ADDRESS: &str = "127.0.0.2";

/// Relays to `server` until it is dropped. Each line ends after a number of bytes that `seed` decides.
pub(crate) async fn relay(server: &Ftpd, seed: u64) -> JoinSet<()> {
    let state = Arc::new(AtomicU64::new(seed));
    let mut tasks = JoinSet::new();
    for port in server.passive_ports.clone().chain([server.port]) {
        let listener = TcpListener::bind((ADDRESS, port)).await.unwrap();
        let state = Arc::clone(&state);
        let is_control = port == server.port;
        tasks.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let chance = next(&state);
                // A control line says little; it must outlive a sign-in more often than not.
                let limit = if is_control {
                    6_000 + chance % 30_000
                } else {
                    chance % 4_000_000
                };
                lines.spawn(pass(near, port, limit));
            }
        });
    }
    tasks
}

fn next(state: &AtomicU64) -> u64 {
    let mut x = state.load(Ordering::Relaxed) | 1;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    state.store(x, Ordering::Relaxed);
    x >> 8
}

async fn pass(mut near: TcpStream, port: u16, mut left: u64) {
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    while left > 0 {
        let sent = tokio::select! {
            read = near.read(&mut up) => move_on(&mut far, up.get(..read.unwrap_or(0)).unwrap_or_default(), left).await,
            read = far.read(&mut down) => move_on(&mut near, down.get(..read.unwrap_or(0)).unwrap_or_default(), left).await,
        };
        match sent {
            Some(bytes) => left -= bytes,
            None => return,
        }
    }
}

/// Passes at most `left` bytes on; nothing at the end of the line.
async fn move_on(to: &mut TcpStream, bytes: &[u8], left: u64) -> Option<u64> {
    let bytes = bytes
        .get(..usize::try_from(left).unwrap_or(usize::MAX))
        .unwrap_or(bytes);
    if bytes.is_empty() {
        return None;
    }
    to.write_all(bytes).await.ok()?;
    Some(bytes.len() as u64)
}
