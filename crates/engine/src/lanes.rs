//! Lanes: jobs that share a far side share its limit, so that one slow receiver never takes all seats.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limit;

/// Who runs in which lane on this node.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    seats: Arc<Mutex<Seats>>,
    per_tenant: usize,
}

#[derive(Debug, Default)]
struct Seats {
    lanes: HashMap<String, Lane>,
    /// How many run of each tenant, in lanes that name one.
    tenants: HashMap<String, usize>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self::bounded(usize::MAX)
    }
}

#[derive(Debug)]
struct Lane {
    running: usize,
    capacity: usize,
    /// Until when none of its jobs is leased.
    rests_until: Option<Instant>,
}

impl Lane {
    fn rests(&self, now: Instant) -> bool {
        self.rests_until.is_some_and(|until| until > now)
    }
}

/// The right to run in a lane, given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    lanes: Lanes,
    lane: String,
    /// Of a transfer: whose it is.
    tenant: Option<String>,
}

impl Lanes {
    /// Lanes in which so many may run of one tenant, in all its lanes together.
    pub(crate) fn bounded(per_tenant: usize) -> Self {
        Self {
            seats: Arc::default(),
            per_tenant: per_tenant.max(1),
        }
    }

    /// A seat in `lane`; `None` if it is full.
    pub(crate) fn enter(&self, lane: &str) -> Option<Seat> {
        self.seat(lane, None)
    }

    /// A seat for a transfer in `lane`; `None` if it is full, or its tenant runs as many as it may.
    pub(crate) fn enter_bounded(&self, lane: &str) -> Option<Seat> {
        self.seat(lane, tenant_of(lane))
    }

    fn seat(&self, lane: &str, tenant: Option<&str>) -> Option<Seat> {
        self.with(|seats| {
            let taken = tenant.and_then(|tenant| seats.tenants.get(tenant));
            let is_within = taken.is_none_or(|taken| *taken < self.per_tenant);
            let found = seats.lanes.entry(lane.to_owned()).or_insert_with(|| Lane {
                running: 0,
                capacity: first_capacity(lane),
                rests_until: None,
            });
            let has_room = is_within && found.running < found.capacity;
            found.running += usize::from(has_room);
            if let (true, Some(tenant)) = (has_room, tenant) {
                *seats.tenants.entry(tenant.to_owned()).or_default() += 1;
            }
            has_room
        })
        .then(|| Seat {
            lanes: self.clone(),
            lane: lane.to_owned(),
            tenant: tenant.map(str::to_owned),
        })
    }

    /// Sets how many may run in `lane` at once. False if more do already.
    pub(crate) fn learn(&self, lane: &str, capacity: usize) -> bool {
        self.with(|seats| match seats.lanes.get_mut(lane) {
            Some(lane) => {
                lane.capacity = capacity.max(1);
                lane.running <= lane.capacity
            }
            None => true,
        })
    }

    /// Leases no job of `lane` for a while: its far side takes no more for now, and each that was leased would only go back.
    pub(crate) fn rest(&self, lane: &str, wait: Duration) {
        let until = Instant::now() + wait;
        self.with(|seats| {
            if let Some(lane) = seats.lanes.get_mut(lane) {
                lane.rests_until = Some(until);
            }
        });
    }

    /// The lanes that rest, are full, or so nearly that a batch would not fit.
    pub(crate) fn busy(&self) -> Vec<String> {
        self.with(|seats| {
            let now = Instant::now();
            let all = seats.lanes.iter();
            let busy = all.filter(|(_, lane)| is_busy(lane) || lane.rests(now));
            busy.map(|(name, _)| name.clone()).collect()
        })
    }

    /// The tenants that have all the seats they may have.
    pub(crate) fn busy_tenants(&self) -> Vec<String> {
        self.with(|seats| {
            let all = seats.tenants.iter();
            let busy = all.filter(|(_, taken)| **taken >= self.per_tenant);
            busy.map(|(tenant, _)| tenant.clone()).collect()
        })
    }

    /// How many jobs may be leased in one go without overfilling a lane that is in use.
    pub(crate) fn batch(&self) -> usize {
        self.with(|seats| {
            let open = seats
                .lanes
                .values()
                .filter(|lane| lane.running > 0 && !is_busy(lane));
            open.map(|lane| lane.capacity - lane.running)
                .min()
                .unwrap_or(limit::BATCH_MAX)
                .min(limit::BATCH_MAX)
        })
    }

    /// The same for transfers, without overfilling a tenant that runs some.
    pub(crate) fn batch_bounded(&self) -> usize {
        let room = self.with(|seats| {
            let all = seats.tenants.values();
            let room = all.map(|taken| self.per_tenant.saturating_sub(*taken));
            room.filter(|room| *room > 0).min()
        });
        self.batch().min(room.unwrap_or(usize::MAX))
    }

    fn leave(&self, seat: &Seat) {
        self.with(|seats| {
            if let Some(lane) = seats.lanes.get_mut(&seat.lane) {
                lane.running = lane.running.saturating_sub(1);
            }
            if seats.lanes.len() > limit::LANES_KEPT_MAX {
                let now = Instant::now();
                seats
                    .lanes
                    .retain(|_, lane| lane.running > 0 || lane.rests(now));
            }
            let Some(tenant) = &seat.tenant else { return };
            if let Some(taken) = seats.tenants.get_mut(tenant) {
                *taken = taken.saturating_sub(1);
                if *taken == 0 {
                    seats.tenants.remove(tenant);
                }
            }
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut Seats) -> T) -> T {
        look(&mut self.seats.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The tenant whose transfers run in `lane`; none of a lane to a webhook.
fn tenant_of(lane: &str) -> Option<&str> {
    let (kind, rest) = lane.split_once(':')?;
    let tenant = rest.split(':').next()?;
    matches!(kind, "remote" | "tenant").then_some(tenant)
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.lanes.leave(self);
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
        Some(("watch", _)) => limit::WATCHES_PER_TENANT,
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
    fn a_tenant_leaves_seats_to_others_whatever_its_lanes() {
        let lanes = Lanes::bounded(2);
        let local = lanes.enter_bounded("tenant:t").unwrap();
        let far = lanes.enter_bounded("remote:t:bank").unwrap();
        assert!(lanes.enter_bounded("remote:t:shop").is_none());
        assert_eq!(lanes.busy_tenants(), ["t"]);
        let other = lanes.enter_bounded("remote:u:bank").unwrap();
        assert_eq!(lanes.batch_bounded(), 1);
        drop(far);
        assert!(lanes.busy_tenants().is_empty());
        let again = lanes.enter_bounded("remote:t:shop").unwrap();
        drop((local, other, again));
        assert_eq!(lanes.batch_bounded(), limit::BATCH_MAX);
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
