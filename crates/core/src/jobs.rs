//! The queue, as the engine sees it.

use bailee_model::{Error, ErrorKind, JobKind, Lease, Result, Timestamp, limit};
use bailee_store::{DbError, Want, conflict};

use crate::{Core, error};

/// The job queue.
pub struct Jobs<'a> {
    pub(crate) core: &'a Core,
}

/// Which jobs a runner wants.
#[derive(Clone, Debug)]
pub struct LeaseRequest<'a> {
    /// Of which kinds, the most urgent first.
    pub kinds: &'a [JobKind],
    /// How many in all at most.
    pub limit: u32,
    /// Lanes that are full.
    pub busy_lanes: &'a [String],
    /// Tenants that run as many transfers as they may, as they stand in the names of lanes.
    pub busy_tenants: &'a [String],
    /// The lane that had the last turn.
    pub after_lane: &'a str,
    /// The runner's name.
    pub owner: &'a str,
}

impl Jobs<'_> {
    /// Leases jobs that are due.
    pub async fn lease(&self, request: LeaseRequest<'_>) -> Result<Vec<Lease>> {
        let mut leases = Vec::new();
        for kind in request.kinds {
            let left = request.limit.saturating_sub(leases.len() as u32);
            if left == 0 {
                break;
            }
            let now = self.core.clock.now();
            let want = Want {
                kind: *kind,
                limit: left,
                busy_lanes: request.busy_lanes,
                busy_tenants: request.busy_tenants,
                after_lane: request.after_lane,
                owner: request.owner,
                now,
                until: now.plus(limit::LEASE),
            };
            leases.extend(
                self.core
                    .store
                    .queue()
                    .take(&want)
                    .await
                    .map_err(error::from_db)?,
            );
        }
        Ok(leases)
    }

    /// Holds a lease for longer. `state_conflict`: it is lost, and the work must stop.
    pub async fn renew(&self, lease: &Lease) -> Result<Lease> {
        let until = self.core.clock.now().plus(limit::LEASE);
        self.core
            .store
            .queue()
            .renew(lease, until)
            .await
            .map_err(fenced)?;
        Ok(Lease {
            until,
            ..lease.clone()
        })
    }

    /// Ends a job. `state_conflict`: the lease is lost.
    pub async fn finish(&self, lease: &Lease) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.finish_job(lease);
        change.commit().await.map_err(fenced)
    }

    /// Gives a job back, due at `run_at`. `state_conflict`: the lease is lost.
    pub async fn postpone(&self, lease: &Lease, run_at: Timestamp) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.run_again(lease, run_at);
        change.commit().await.map_err(fenced)
    }

    /// When the next job of a kind is due; jobs under way count as due at the end of their lease.
    pub async fn next_due(&self, kind: JobKind) -> Result<Option<Timestamp>> {
        let due = self.core.store.queue().next_due(kind).await;
        due.map_err(error::from_db)
    }

    /// Makes every leased job due at once. Only for a node that is alone with its database, at its start: whoever held
    /// a lease is dead.
    pub async fn adopt_all(&self) -> Result<()> {
        let now = self.core.clock.now();
        let freed = self.core.store.queue().free_all(now).await;
        freed.map_err(error::from_db)
    }
}

/// A write that an old runner tried.
pub(crate) fn fenced(error: DbError) -> Error {
    match error {
        DbError::Conflict(conflict::FENCE) => Error::new(
            ErrorKind::StateConflict,
            "The lease is lost; another runner may be at work.",
        ),
        other => error::from_db(other),
    }
}
