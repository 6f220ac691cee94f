//! What the tests of this crate share.

#![expect(clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bailee_content::Result;
use bailee_model::{Chance, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;

/// Good enough to tell keys apart.
pub struct Dice(AtomicU64);

impl Chance for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            // SplitMix64.
            let mut state = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            *byte = (state >> 56) as u8;
        }
    }
}

/// Another sequence at each call: two keys must not be one.
pub fn dice() -> Arc<dyn Chance> {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let seed = CALLS.fetch_add(1, Ordering::Relaxed);
    Arc::new(Dice(AtomicU64::new(seed << 40)))
}

/// A day in November 2026.
pub const TODAY: Timestamp = Timestamp::from_ms(1_795_000_000_000);

/// Gives `bytes` through a pipe, so that nothing depends on reading all at once.
pub fn feed(bytes: Vec<u8>) -> DuplexStream {
    let (mut near, far) = duplex(8 * 1024);
    tokio::spawn(async move {
        // A reader that leaves early is no fault of the feeder.
        let _ = near.write_all(&bytes).await;
    });
    far
}

/// A sink and what came into it.
pub fn collect() -> (DuplexStream, JoinHandle<Vec<u8>>) {
    let (near, mut far) = duplex(8 * 1024);
    let all = tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = far.read_to_end(&mut bytes).await;
        bytes
    });
    (near, all)
}

/// The error code of a refusal.
pub fn code<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    match outcome {
        Ok(value) => panic!("expected a refusal, got {value:?}"),
        Err(error) => error.code(),
    }
}
