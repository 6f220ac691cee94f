//! What flows watch for at remotes: each version of a file that was not there before starts a run.
//!
//! A run and the memory of its file are one transaction, under the lease of the look and with the flow as it was read:
//! neither is there without the other, whatever dies. A look that did not see all of a folder changes nothing, and what
//! the flow has no room for stays new.

mod compare;

use bailee_auth::{Action, Caller, Door, Facts, Resource, Via};
use bailee_model::flow::{Trigger, WatchState, WatchTrigger};
use bailee_model::{
    Allowance, Error, ErrorKind, Flow, FlowDocument, FlowId, FlowRunId, JobKind, Lease, RequestId,
    Result, StepFault, TenantId, Timestamp,
};
use bailee_store::{Change, DbError, conflict};

use super::Flows;
use crate::jobs::fenced;
use crate::ports::RemoteTarget;
use crate::{Core, error};

/// What flows watch for, as the engine looks after it.
pub struct FlowWatches<'a> {
    pub(crate) core: &'a Core,
}

/// A flow whose watches are looked after.
pub struct WatchedFlow {
    flow: Flow,
    document: FlowDocument,
    /// What is to be looked for now.
    pub due: Vec<WatchTrigger>,
}

/// Whether somebody may look.
pub enum WatchTurn {
    /// Here.
    Look(Box<RemoteTarget>),
    /// Not now.
    Over(WatchLook),
}

/// What came of a look.
#[derive(Debug)]
pub enum WatchLook {
    /// All files that are meant and there.
    Files(Vec<SeenFile>),
    /// Nothing that could be relied on.
    Failed(StepFault),
    /// The remote is not used before this time.
    Later(Timestamp),
}

/// A file at a remote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenFile {
    /// Its name.
    pub name: String,
    /// Its size, where the far system tells.
    pub size_bytes: Option<u64>,
    /// When it was changed, by the far system's clock.
    pub modified: Option<Timestamp>,
    /// The far system's own mark of its content.
    pub version: Option<String>,
}

impl Flows<'_> {
    /// What came of the newest looks of a flow's watches.
    pub async fn watches(&self, caller: &Caller, id: FlowId) -> Result<Vec<WatchState>> {
        let permit = self
            .enter(caller, "flows.watches", Action::FlowRead)
            .await?;
        let flow = self.find(caller, &permit, id).await?;
        let document = FlowDocument::parse(&flow.document)?;
        let states = self.core.store.reader(&permit).watch_states(id).await;
        let mut states = states.map_err(error::from_db)?;
        states.retain(|state| watches(&document).any(|watch| watch.path == state.path));
        Ok(states)
    }
}

impl FlowWatches<'_> {
    /// The flow that is to be looked after; `None` if nobody wants that any more, and the job is gone.
    pub async fn begin(&self, lease: &Lease) -> Result<Option<WatchedFlow>> {
        let id: FlowId = lease.job.subject.parse().map_err(Error::internal)?;
        let reader = self.core.store.queue().reader(lease.job.tenant);
        let Some(flow) = reader.flow(id).await.map_err(error::from_db)? else {
            self.core.jobs().finish(lease).await?;
            return Ok(None);
        };
        let document = FlowDocument::parse(&flow.document)?;
        if !flow.is_enabled || watches(&document).next().is_none() {
            // Whoever switches it on meanwhile finds the job held, and counts on it.
            let mut change = self.core.store.queue().change(lease.job.tenant);
            change.hold_flow(&flow).finish_job(lease);
            change.commit().await.map_err(settled)?;
            return Ok(None);
        }
        let now = self.core.clock.now();
        let states = reader.watch_states(id).await.map_err(error::from_db)?;
        let rests = |watch: &WatchTrigger| {
            let mut states = states.iter();
            states.any(|state| {
                state.path == watch.path
                    && state.flow_revision == flow.revision
                    && state.next_at > now
            })
        };
        let due = watches(&document).filter(|watch| !rests(watch)).cloned();
        Ok(Some(WatchedFlow {
            due: due.collect(),
            flow,
            document,
        }))
    }

    /// Whether the flow's owner may look at a remote now, and where it is.
    pub async fn open(
        &self,
        lease: &Lease,
        watched: &WatchedFlow,
        watch: &WatchTrigger,
    ) -> Result<WatchTurn> {
        match self.turn(lease.job.tenant, &watched.flow, watch).await {
            Ok(turn) => Ok(turn),
            Err(error) if is_passing(error.kind()) => Err(error),
            Err(error) => {
                let fault = StepFault::permanent(error.kind().code(), error.detail());
                Ok(WatchTurn::Over(WatchLook::Failed(fault)))
            }
        }
    }

    async fn turn(&self, tenant: TenantId, flow: &Flow, watch: &WatchTrigger) -> Result<WatchTurn> {
        let now = self.core.clock.now();
        let facts = Facts {
            address: None,
            request: RequestId::new(now, &*self.core.chance),
            now,
            door: Door::Job,
        };
        let via = Via::Flow {
            run: FlowRunId::from_bits(flow.id.bits()),
            key: flow.mandate.key,
        };
        let caller = self
            .core
            .by_mandate(tenant, &flow.mandate, facts, via)
            .await?;
        let name = watch.path.remote();
        let resource = Resource::Remote { name: name.clone() };
        // A refusal at each look would fill the journal: the watch's own entry tells of the first.
        if !self.core.admits(&caller, Action::RemoteUse, &resource) {
            let detail = format!("The flow's owner may not use remote `{name}`.");
            return Err(Error::new(ErrorKind::PolicyDenied, detail));
        }
        let remote = self.core.usable_remote(&caller, name, "#/triggers").await?;
        if let Allowance::Closed(until) = remote.times.allowance(now) {
            return Ok(WatchTurn::Over(WatchLook::Later(until)));
        }
        if let Some(until) = self.core.waits_for(tenant, &remote).await? {
            return Ok(WatchTurn::Over(WatchLook::Later(until)));
        }
        let target = self.core.target(tenant, remote).await?;
        Ok(WatchTurn::Look(Box::new(target)))
    }

    /// Gives the flow's job back until the next of its looks is due.
    pub async fn rest(&self, lease: &Lease, watched: &WatchedFlow) -> Result<()> {
        let reader = self.core.store.queue().reader(lease.job.tenant);
        let states = reader.watch_states(watched.flow.id).await;
        let states = states.map_err(error::from_db)?;
        let now = self.core.clock.now();
        let next = states.iter().map(|state| state.next_at).min();
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change
            .hold_flow(&watched.flow)
            .run_again(lease, next.unwrap_or(now));
        change.commit().await.map_err(settled)
    }
}

impl Core {
    /// Has a flow's watches looked after from now on, or no more.
    pub(super) fn schedule_watches(
        &self,
        change: &mut Change,
        flow: &Flow,
        document: &FlowDocument,
    ) {
        let subject = flow.id.to_string();
        let has_watches = watches(document).next().is_some();
        if !has_watches {
            change.forget_watches(flow.id);
        }
        if !has_watches || !flow.is_enabled {
            change.drop_job(JobKind::WatchFlow, &subject);
            return;
        }
        self.look_from_now(change, (JobKind::WatchFlow, "watch"), subject);
    }
}

fn watches(document: &FlowDocument) -> impl Iterator<Item = &WatchTrigger> {
    document
        .triggers
        .iter()
        .filter_map(|trigger| match trigger {
            Trigger::Watch(watch) => Some(watch),
            _ => None,
        })
}

/// Whether the server itself is at fault, or somebody was faster: it is looked again soon.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InternalError
            | ErrorKind::Unavailable
            | ErrorKind::StateConflict
            | ErrorKind::Draining
    )
}

/// A write that came too late.
fn settled(error: DbError) -> Error {
    match error {
        DbError::Conflict(conflict::FLOW_REVISION) => Error::new(
            ErrorKind::StateConflict,
            "The flow was changed in the meantime.",
        ),
        other => fenced(other),
    }
}
