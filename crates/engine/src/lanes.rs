//! Lanes: jobs that share a far side share its limit, so that one slow receiver never takes all seats.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limit;

/// Who runs in which lane on this node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes(Arc<Mutex<HashMap<String, Lane>>>);

#[derive(Debug)]
struct Lane {
    running: usize,
    capacity: usize,
}

/// The right to run in a lane, given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    lanes: Lanes,
    lane: String,
}

impl Lanes {
    /// A seat in `lane`; `None` if it is full.
    pub(crate) fn enter(&self, lane: &str) -> Option<Seat> {
        self.with(|lanes| {
            let lane = lanes.entry(lane.to_owned()).or_insert_with(|| Lane {
                running: 0,
                capacity: first_capacity(lane),
            });
            let has_room = lane.running < lane.capacity;
            lane.running += usize::from(has_room);
            has_room
        })
        .then(|| Seat {
            lanes: self.clone(),
            lane: lane.to_owned(),
        })
    }

    /// Sets how many may run in `lane` at once. False if more do already.
    pub(crate) fn learn(&self, lane: &str, capacity: usize) -> bool {
        self.with(|lanes| match lanes.get_mut(lane) {
            Some(lane) => {
                lane.capacity = capacity.max(1);
                lane.running <= lane.capacity
            }
            None => true,
        })
    }

    /// The lanes that are full, or so nearly that a batch would not fit.
    pub(crate) fn busy(&self) -> Vec<String> {
        self.with(|lanes| {
            let busy = lanes.iter().filter(|(_, lane)| is_busy(lane));
            busy.map(|(name, _)| name.clone()).collect()
        })
    }

    /// How many jobs may be leased in one go without overfilling a lane that is in use.
    pub(crate) fn batch(&self) -> usize {
        self.with(|lanes| {
            let open = lanes
                .values()
                .filter(|lane| lane.running > 0 && !is_busy(lane));
            open.map(|lane| lane.capacity - lane.running)
                .min()
                .unwrap_or(limit::BATCH_MAX)
                .min(limit::BATCH_MAX)
        })
    }

    fn leave(&self, name: &str) {
        self.with(|lanes| {
            if let Some(lane) = lanes.get_mut(name) {
                lane.running = lane.running.saturating_sub(1);
            }
            if lanes.len() > limit::LANES_KEPT_MAX {
                lanes.retain(|_, lane| lane.running > 0);
            }
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut HashMap<String, Lane>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.lanes.leave(&self.lane);
    }
}

/// A lane counts as busy before it is quite full: single free seats would shrink every batch to one job.
fn is_busy(lane: &Lane) -> bool {
    let room = lane.capacity.saturating_sub(lane.running);
    room < (lane.capacity.min(limit::BATCH_MAX) / 4).max(1)
}

/// A remote's limit is known once its row was read; until then one job finds out.
fn first_capacity(lane: &str) -> usize {
    match lane.split_once(':') {
        Some(("webhook", _)) => bailee_model::limit::DELIVERIES_PER_WEBHOOK,
        Some(("remote", _)) => 1,
        _ => usize::MAX,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_remote_takes_one_job_until_its_limit_is_known() {
        let lanes = Lanes::default();
        let first = lanes.enter("remote:t:bank").unwrap();
        assert!(lanes.enter("remote:t:bank").is_none());
        assert_eq!(lanes.busy(), ["remote:t:bank"]);
        assert!(lanes.learn("remote:t:bank", 2));
        let second = lanes.enter("remote:t:bank").unwrap();
        assert!(!lanes.learn("remote:t:bank", 1));
        drop((first, second));
        assert!(lanes.busy().is_empty());
    }

    #[test]
    fn a_batch_fits_into_every_open_lane() {
        let lanes = Lanes::default();
        assert_eq!(lanes.batch(), limit::BATCH_MAX);
        let seats: Vec<_> = (0..12)
            .map(|_| lanes.enter("webhook:one").unwrap())
            .collect();
        assert_eq!(lanes.batch(), 4);
        let thirteenth = lanes.enter("webhook:one").unwrap();
        assert_eq!(lanes.busy(), ["webhook:one"]);
        assert_eq!(lanes.batch(), limit::BATCH_MAX);
        drop((seats, thirteenth));
        let _unbounded: Vec<_> = (0..100).map(|_| lanes.enter("tenant:t").unwrap()).collect();
        assert!(lanes.busy().is_empty());
    }
}
