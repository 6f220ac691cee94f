//! The runner of one kind of job: leases what is due, runs it in bounded numbers, renews the leases, hands back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bailee_core::model::{ErrorKind, JobKind, Lease, Result, limit as model_limit};
use bailee_core::{Core, LeaseRequest};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lanes::Seat;
use crate::limit;
use crate::stop::{Stop, StopReason};
use crate::{Shared, alert_rules, deliveries, flows, looks, schedules, transfers, watches};

/// Runs jobs of one kind.
pub(crate) struct Runner {
    shared: Arc<Shared>,
    kind: JobKind,
    capacity: usize,
    stop: CancellationToken,
    running: JoinSet<()>,
    leases: HashMap<Id, Lease>,
    /// The lane that had the last turn.
    last_lane: String,
}

impl Runner {
    pub(crate) fn new(
        shared: Arc<Shared>,
        kind: JobKind,
        capacity: usize,
        stop: CancellationToken,
    ) -> Self {
        Self {
            shared,
            kind,
            capacity: capacity.max(1),
            stop,
            running: JoinSet::new(),
            leases: HashMap::new(),
            last_lane: String::new(),
        }
    }

    /// Runs until told to stop, then waits for what is under way to hand back.
    pub(crate) async fn run(mut self) {
        let mut changes = self.shared.core.changes();
        let mut failures = 0;
        loop {
            changes.borrow_and_update();
            let looked = Instant::now();
            let rest = match self.fill().await {
                Ok(rest) => {
                    failures = 0;
                    rest
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(queue = self.kind.as_str(), error = %error, "the queue could not be read");
                    Rest::Deaf(crate::back_off(failures))
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(ended) = self.running.join_next_with_id() => self.ended(ended).await,
                Ok(()) = changes.changed(), if rest.heeds_changes() => {
                    tokio::time::sleep_until(looked + limit::LOOK_EVERY_MIN).await;
                }
                () = tokio::time::sleep(rest.wait()) => {}
            }
        }
        while let Some(ended) = self.running.join_next_with_id().await {
            self.ended(ended).await;
        }
    }

    /// Leases and starts what is due. Returns when to look again.
    async fn fill(&mut self) -> Result<Rest> {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.ended(ended).await;
        }
        let free = self.capacity.saturating_sub(self.running.len());
        if free == 0 {
            return Ok(Rest::Deaf(limit::LOOK_EVERY_MAX));
        }
        let core = &self.shared.core;
        let now = core.clock().now();
        let due = core.jobs().next_due(self.kind).await?;
        let late = due.map(|due| now.since(due)).unwrap_or_default();
        metrics::gauge!("bailee_queue_oldest_seconds", "queue" => "jobs").set(late.as_secs_f64());
        match due {
            None => return Ok(Rest::Alert(limit::LOOK_EVERY_MAX)),
            Some(due) if due > now => {
                return Ok(Rest::Alert(due.since(now).min(limit::LOOK_EVERY_MAX)));
            }
            Some(_) => {}
        }
        let lanes = &self.shared.lanes;
        let (batch, busy_tenants) = match self.kind {
            JobKind::RunTransfer => (lanes.batch_bounded(), lanes.busy_tenants()),
            _ => (lanes.batch(), Vec::new()),
        };
        let request = LeaseRequest {
            kinds: &[self.kind],
            limit: u32::try_from(free.min(batch)).unwrap_or(1),
            busy_lanes: &lanes.busy(),
            busy_tenants: &busy_tenants,
            after_lane: &self.last_lane,
            owner: &self.shared.owner,
        };
        let leases = core.jobs().lease(request).await?;
        // What is due and was not leased belongs to full lanes or to the runner of another kind.
        let rest = if leases.is_empty() {
            Rest::Deaf(limit::FULL_WAIT)
        } else {
            Rest::Alert(Duration::ZERO)
        };
        if let Some(last) = leases.last() {
            self.last_lane.clone_from(&last.job.lane);
        }
        for lease in leases {
            let (lanes, lane) = (&self.shared.lanes, &lease.job.lane);
            let seat = match self.kind {
                JobKind::RunTransfer => lanes.enter_bounded(lane),
                _ => lanes.enter(lane),
            };
            match seat {
                Some(seat) => self.start(lease, seat),
                None => postpone(&self.shared.core, &lease, limit::LANE_WAIT).await,
            }
        }
        Ok(rest)
    }

    fn start(&mut self, lease: Lease, seat: Seat) {
        let (shared, drain) = (Arc::clone(&self.shared), self.stop.clone());
        let held = lease.clone();
        let task = self.running.spawn(async move {
            let _seat = seat;
            Box::pin(run_held(&shared, &held, drain)).await;
        });
        self.leases.insert(task.id(), lease);
    }

    /// Forgets a job that ended; one that panicked is due again, later each time.
    async fn ended(&mut self, ended: std::result::Result<(Id, ()), JoinError>) {
        match ended {
            Ok((id, ())) => drop(self.leases.remove(&id)),
            Err(error) => {
                let Some(lease) = self.leases.remove(&error.id()) else {
                    return;
                };
                tracing::error!(job.id = %lease.job.id, job.subject = %lease.job.subject, "a job panicked");
                let wait = limit::PANIC_WAIT
                    .saturating_mul(lease.attempt)
                    .min(limit::PANIC_WAIT_MAX);
                postpone(&self.shared.core, &lease, wait).await;
            }
        }
    }
}

/// How a runner waits for work.
#[derive(Clone, Copy, Debug)]
enum Rest {
    /// So long, unless something is committed.
    Alert(Duration),
    /// So long, whatever is committed: it would change nothing.
    Deaf(Duration),
}

impl Rest {
    fn wait(self) -> Duration {
        match self {
            Self::Alert(wait) | Self::Deaf(wait) => wait,
        }
    }

    fn heeds_changes(self) -> bool {
        matches!(self, Self::Alert(_))
    }
}

/// Runs a job and keeps its lease alive beside it.
async fn run_held(shared: &Shared, lease: &Lease, drain: CancellationToken) {
    let stop = Stop::default();
    let work = async {
        match lease.job.kind {
            JobKind::RunTransfer => Box::pin(transfers::run(shared, lease, &stop)).await,
            JobKind::Deliver => deliveries::run(shared, lease, &stop).await,
            JobKind::WatchRule => alert_rules::run(shared, lease).await,
            JobKind::FireSchedule => schedules::run(shared, lease).await,
            JobKind::CheckRemote => Box::pin(looks::run(shared, lease, &stop)).await,
            JobKind::RunFlow => Box::pin(flows::run(shared, lease, &stop)).await,
            JobKind::WatchFlow => Box::pin(watches::run(shared, lease, &stop)).await,
        }
    };
    tokio::select! {
        () = work => {}
        () = hold(&shared.core, lease, &stop) => {}
        () = drained(&stop, drain) => {}
    }
}

/// Renews the lease for as long as it is polled; tells the work when it is lost.
async fn hold(core: &Core, lease: &Lease, stop: &Stop) {
    let mut held_until = Instant::now() + limit::LEASE_SURE;
    stop.hold_until(held_until);
    loop {
        tokio::time::sleep(model_limit::HEARTBEAT).await;
        let asked = Instant::now();
        match tokio::time::timeout_at(held_until.max(asked), core.jobs().renew(lease)).await {
            Ok(Ok(_)) => {
                held_until = asked + limit::LEASE_SURE;
                stop.hold_until(held_until);
            }
            Ok(Err(error)) if error.kind() == ErrorKind::StateConflict => break,
            Ok(Err(error)) => {
                tracing::warn!(job.id = %lease.job.id, error = %error, "a lease could not be renewed");
                if Instant::now() >= held_until {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    tracing::info!(job.id = %lease.job.id, job.subject = %lease.job.subject, "a lease is lost");
    stop.because(StopReason::Lost);
    std::future::pending::<()>().await;
}

async fn drained(stop: &Stop, drain: CancellationToken) {
    drain.cancelled().await;
    stop.because(StopReason::Drain);
    std::future::pending::<()>().await;
}

async fn postpone(core: &Core, lease: &Lease, wait: Duration) {
    let at = core.clock().now().plus(wait);
    if let Err(error) = core.jobs().postpone(lease, at).await {
        // Its lease ends by itself, and then it is due again.
        tracing::debug!(job.id = %lease.job.id, error = %error, "a job could not be handed back");
    }
}
