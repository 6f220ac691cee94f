//! Running transfers: opening, moving, verifying, settling.
//!
//! A transfer's effect at its destination happens once. Bytes go to a place that nobody takes for the file (a temporary
//! name at a remote, an upload in Bailee); that they may be about to get their final name is stored first; and whoever
//! goes on after a crash looks whether they have it already. Each write to the row carries the lease.

mod attempt;
mod checkpoint;
mod copying;
mod ending;
mod far;
mod fault;
mod finding;
mod listing;
mod many;
mod moving;
mod pace;
mod planning;
mod publishing;
mod receiving;
mod removing;
mod same;
mod seeing;
mod settling;
mod sight;
mod source;
mod times;
mod verifying;

use std::time::Duration;

use bailee_core::model::{End, ErrorKind, FilePath, Lease, Transfer};
use bailee_core::{Begun, Core, Run, RunEnd};
use tokio::time::Instant;

use crate::stop::{Stop, StopReason};
use crate::{Shared, limit};
use attempt::Attempt;
use checkpoint::Checkpoint;
pub(crate) use fault::probe_code;
use fault::{Halt, Trouble};
use pace::Bound;
pub(crate) use pace::Paces;
pub(crate) use planning::Planner;
pub(crate) use seeing::{Unseen, see};

/// Runs one try of a transfer.
pub(crate) async fn run(shared: &Shared, lease: &Lease, stop: &Stop) {
    let core = &shared.core;
    let run = match core.runs().begin(lease).await {
        Ok(Begun::Run(run)) => *run,
        Ok(Begun::Many(transfer, caller)) => {
            return Box::pin(many::run(shared, lease, stop, (*transfer, caller))).await;
        }
        Ok(Begun::Ending(transfer, outcome, fault)) => {
            return Box::pin(many::end(shared, lease, *transfer, (outcome, fault))).await;
        }
        Ok(Begun::Over) => return,
        Err(error) => {
            if error.kind() == ErrorKind::StateConflict {
                return postpone(core, lease, limit::LANE_WAIT).await;
            }
            tracing::warn!(job.id = %lease.job.id, error = %error, "a transfer could not begin");
            let wait = limit::LOOK_EVERY_MAX.saturating_mul(lease.attempt);
            return postpone(core, lease, wait.min(limit::BEGIN_WAIT_MAX)).await;
        }
    };
    let Run {
        transfer,
        caller,
        source,
        destination,
    } = run;
    if !learn(shared, lease, [&source, &destination]) {
        return postpone(core, lease, limit::LANE_WAIT).await;
    }
    let _running = Running::new();
    let bounds = shared.paces.bounds([&source, &destination]);
    let watched = Watched {
        bounds: bounds.clone(),
        ..Watched::of(lease, &transfer)
    };
    let checkpoint = Checkpoint::read(transfer.checkpoint.as_ref());
    let mut paces: Vec<_> = bounds.iter().map(Bound::pace).collect();
    paces.extend(shared.paces.of(&transfer));
    let mut attempt = Attempt {
        shared,
        lease,
        stop,
        caller,
        transfer,
        checkpoint,
        paces,
        bounds,
        is_known_same: false,
    };
    let result = tokio::select! {
        result = attempt.work(source, destination) => result,
        never = watched.watch(core, stop) => match never {},
    };
    match result {
        Err(Halt::Trouble(trouble)) if trouble.names_folder && attempt.may_be_many() => {
            attempt.become_many().await;
        }
        result => attempt.end(result).await,
    }
}

impl Attempt<'_> {
    fn may_be_many(&self) -> bool {
        self.transfer.parent.is_none()
    }

    /// The source is a folder: its files are listed next.
    async fn become_many(mut self) {
        let core = &self.shared.core;
        let made = core
            .runs()
            .make_bundle(self.lease, &mut self.transfer)
            .await;
        if let Err(error) = made {
            if error.kind() == ErrorKind::StateConflict {
                return postpone(core, self.lease, limit::LANE_WAIT).await;
            }
            return self
                .end(Err(fault::from_core(&error, fault::Side::Source)))
                .await;
        }
        postpone(core, self.lease, Duration::ZERO).await;
    }

    /// Brings the file to its place, and then removes its source if that is wanted.
    async fn work(&mut self, source: RunEnd, destination: RunEnd) -> Result<(), Halt> {
        if !self.transfer.has_arrived {
            self.carry_out(source.clone(), destination).await?;
        }
        self.remove_source(source).await
    }

    async fn carry_out(&mut self, source: RunEnd, destination: RunEnd) -> Result<(), Halt> {
        match (source, destination) {
            (RunEnd::Bailee(from), RunEnd::Bailee(to)) => self.copy(from, &place(to)?).await,
            (RunEnd::Remote(from, path), RunEnd::Bailee(to)) => {
                self.receive(from, path, &place(to)?).await
            }
            (from, RunEnd::Remote(to, path)) => self.send(from, &to, &path).await,
        }
    }
}

fn place(end: End) -> Result<FilePath, Halt> {
    match end {
        End::Path { path } => Ok(path),
        other => {
            let message = format!("`{other}` is no place in Bailee.");
            Err(Trouble::new("invalid_path", message, "Name a path.").into())
        }
    }
}

/// Tells the lane how many the remote takes at once. False if there are more already.
fn learn(shared: &Shared, lease: &Lease, ends: [&RunEnd; 2]) -> bool {
    let lane = &lease.job.lane;
    let remotes = ends.into_iter().filter_map(|end| match end {
        RunEnd::Remote(target, _) => Some(&target.remote),
        RunEnd::Bailee(_) => None,
    });
    let mut own = remotes.filter(|remote| lane.rsplit(':').next() == Some(remote.name.as_str()));
    own.next()
        .is_none_or(|remote| shared.lanes.learn(lane, remote.concurrency as usize))
}

async fn postpone(core: &Core, lease: &Lease, wait: Duration) {
    if let Err(error) = core
        .jobs()
        .postpone(lease, core.clock().now().plus(wait))
        .await
    {
        tracing::debug!(job.id = %lease.job.id, error = %error, "a transfer goes on when its lease ends");
    }
}

/// What ends a transfer from outside.
struct Watched {
    tenant: bailee_core::model::TenantId,
    transfer: bailee_core::model::TransferId,
    deadline: Option<bailee_core::model::Timestamp>,
    bounds: Vec<Bound>,
}

impl Watched {
    fn of(lease: &Lease, transfer: &Transfer) -> Self {
        Self {
            tenant: lease.job.tenant,
            transfer: transfer.id,
            deadline: transfer.deadline,
            bounds: Vec::new(),
        }
    }

    /// Asks the transfer to stop when somebody cancelled or paused it, on whatever node, when its deadline passed, or when
    /// a remote's window closes. Keeps its pace to what the windows say.
    async fn watch(&self, core: &Core, stop: &Stop) -> std::convert::Infallible {
        let mut changes = core.changes();
        while stop.check().is_ok() {
            let now = core.clock().now();
            if self.bounds.iter().any(|bound| bound.closed(now).is_some()) {
                stop.because(StopReason::Closed);
                break;
            }
            let looked = Instant::now();
            tokio::select! {
                Ok(()) = changes.changed() => tokio::time::sleep_until(looked + limit::WATCH_REST).await,
                () = tokio::time::sleep(limit::WATCH_EVERY) => {}
            }
            changes.borrow_and_update();
            if self
                .deadline
                .is_some_and(|deadline| core.clock().now() >= deadline)
            {
                stop.because(StopReason::Deadline);
            } else if matches!(
                core.runs().is_stopped(self.tenant, self.transfer).await,
                Ok(true)
            ) {
                stop.because(StopReason::Steered);
            }
        }
        std::future::pending().await
    }
}

/// Counts transfers under way.
struct Running;

impl Running {
    fn new() -> Self {
        metrics::gauge!("bailee_transfers_running").increment(1.0);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        metrics::gauge!("bailee_transfers_running").decrement(1.0);
    }
}
