//! Bandwidth: a transfer moves so many bytes per second at most, all its files on this node together; and so do all
//! transfers with a remote, as its windows say.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bailee_core::RunEnd;
use bailee_core::model::{Allowance, RemoteId, RemoteTimes, Timestamp, Transfer, TransferId};
use tokio::time::Instant;

/// How much may be moved at once after a rest, as time at full speed.
const BURST: Duration = Duration::from_millis(250);

/// The paces of transfers under way on this node, and of the remotes that they use.
#[derive(Debug, Default)]
pub(crate) struct Paces {
    transfers: Mutex<HashMap<TransferId, Weak<Pace>>>,
    remotes: Mutex<HashMap<RemoteId, Weak<Pace>>>,
}

/// What may still be moved by those who share it.
#[derive(Debug)]
pub(crate) struct Pace {
    /// 0 is no bound.
    bytes_per_second: AtomicU64,
    /// When all that was taken is paid for.
    paid_at: Mutex<Instant>,
}

/// What the windows of a remote say to those who use it.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    times: RemoteTimes,
    pace: Arc<Pace>,
}

impl Bound {
    /// The pace that all who use the remote share.
    pub(super) fn pace(&self) -> Arc<Pace> {
        Arc::clone(&self.pace)
    }

    /// Until when the remote may not be used; keeps its pace to what its windows say.
    pub(super) fn closed(&self, now: Timestamp) -> Option<Timestamp> {
        match self.times.allowance(now) {
            Allowance::Closed(until) => return Some(until),
            Allowance::Bounded(rate) => self.pace.set(rate),
            Allowance::Free => self.pace.set(0),
        }
        None
    }
}

impl Paces {
    /// The pace of a transfer, shared by the files of its parent; `None` where it has no bound.
    pub(crate) fn of(&self, transfer: &Transfer) -> Option<Arc<Pace>> {
        let bytes_per_second = transfer.bandwidth?;
        let id = transfer.parent.unwrap_or(transfer.id);
        Some(shared(&self.transfers, id, bytes_per_second.max(1)))
    }

    /// What the windows of the remotes at the ends of a transfer say.
    pub(super) fn bounds(&self, ends: [&RunEnd; 2]) -> Vec<Bound> {
        let remotes = ends.into_iter().filter_map(|end| match end {
            RunEnd::Remote(target, _) => Some(&target.remote),
            RunEnd::Bailee(_) => None,
        });
        let bounded = remotes.filter(|remote| !remote.times.windows.is_empty());
        bounded
            .map(|remote| Bound {
                times: remote.times.clone(),
                pace: shared(&self.remotes, remote.id, 0),
            })
            .collect()
    }
}

/// The pace that is known by `id`, or a new one.
fn shared<I: Copy + Eq + Hash>(
    paces: &Mutex<HashMap<I, Weak<Pace>>>,
    id: I,
    bytes_per_second: u64,
) -> Arc<Pace> {
    let mut paces: MutexGuard<'_, HashMap<I, Weak<Pace>>> =
        paces.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pace) = paces.get(&id).and_then(Weak::upgrade) {
        return pace;
    }
    paces.retain(|_, pace| pace.strong_count() > 0);
    let pace = Arc::new(Pace {
        bytes_per_second: AtomicU64::new(bytes_per_second),
        paid_at: Mutex::new(Instant::now()),
    });
    paces.insert(id, Arc::downgrade(&pace));
    pace
}

impl Pace {
    /// Returns when `bytes` may go on.
    pub(crate) async fn take(&self, bytes: u64) {
        tokio::time::sleep_until(self.due(bytes, Instant::now())).await;
    }

    fn set(&self, bytes_per_second: u64) {
        self.bytes_per_second
            .store(bytes_per_second, Ordering::Relaxed);
    }

    fn due(&self, bytes: u64, now: Instant) -> Instant {
        let rate = self.bytes_per_second.load(Ordering::Relaxed);
        if rate == 0 {
            return now;
        }
        let cost = Duration::from_secs_f64(bytes as f64 / rate as f64);
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
            bytes_per_second: AtomicU64::new(1000),
            paid_at: Mutex::new(Instant::now()),
        };
        // After a rest a quarter of a second is free, no more.
        assert_eq!(pace.due(250, now), now);
        assert_eq!(pace.due(1000, now), now + Duration::from_secs(1));
        assert_eq!(pace.due(500, now), now + Duration::from_millis(1500));
        pace.set(0);
        assert_eq!(pace.due(1_000_000, now), now);
    }
}
