//! Bandwidth: a transfer moves so many bytes per second at most, all its files on this node together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bailee_core::model::{Transfer, TransferId};
use tokio::time::Instant;

/// How much may be moved at once after a rest, as time at full speed.
const BURST: Duration = Duration::from_millis(250);

/// The paces of transfers under way on this node.
#[derive(Debug, Default)]
pub(crate) struct Paces(Mutex<HashMap<TransferId, Weak<Pace>>>);

/// What one transfer may still move.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: u64,
    /// When all that was taken is paid for.
    paid_at: Mutex<Instant>,
}

impl Paces {
    /// The pace of a transfer, shared by the files of its parent; `None` where it has no bound.
    pub(crate) fn of(&self, transfer: &Transfer) -> Option<Arc<Pace>> {
        let bytes_per_second = transfer.bandwidth?;
        let id = transfer.parent.unwrap_or(transfer.id);
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pace) = paces.get(&id).and_then(Weak::upgrade) {
            return Some(pace);
        }
        paces.retain(|_, pace| pace.strong_count() > 0);
        let pace = Arc::new(Pace {
            bytes_per_second: bytes_per_second.max(1),
            paid_at: Mutex::new(Instant::now()),
        });
        paces.insert(id, Arc::downgrade(&pace));
        Some(pace)
    }
}

impl Pace {
    /// Returns when `bytes` may go on.
    pub(crate) async fn take(&self, bytes: u64) {
        tokio::time::sleep_until(self.due(bytes, Instant::now())).await;
    }

    fn due(&self, bytes: u64, now: Instant) -> Instant {
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        let start = now.checked_sub(BURST).unwrap_or(now);
        *paid_at = (*paid_at).max(start) + cost;
        *paid_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_taken_is_paid_for_one_after_the_other() {
        let now = Instant::now() + Duration::from_secs(10);
        let pace = Pace {
            bytes_per_second: 1000,
            paid_at: Mutex::new(Instant::now()),
        };
        // After a rest a quarter of a second is free, no more.
        assert_eq!(pace.due(250, now), now);
        assert_eq!(pace.due(1000, now), now + Duration::from_secs(1));
        assert_eq!(pace.due(500, now), now + Duration::from_millis(1500));
    }
}
