//! Runs, as clients see them.

use bailee_auth::{Action, Caller, Permit};
use bailee_model::{
    AuditId, Error, ErrorKind, EventType, FlowRun, FlowRunId, JobKind, Outcome, Page, PageRequest,
    Result, RunState, SealedEntry, StepFault, StepRun, Timestamp,
};
use bailee_store::{Change, DbError, RunFilter, conflict};

use super::start::run_facts;
use super::{Flows, is_within_reach};
use crate::files::RACES_MAX;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{Core, error};

/// What a millisecond is in the bits of an id.
const ID_CLOCK: u128 = 1 << 80;

/// A run with its steps.
#[derive(Clone, Debug)]
pub struct RunView {
    /// The run.
    pub run: FlowRun,
    /// Its steps that began, in the order in which they did.
    pub steps: Vec<StepRun>,
}

/// Entries of the journal about a run.
pub type RunLog = Page<SealedEntry>;

impl Flows<'_> {
    /// Runs, newest first.
    pub async fn runs(
        &self,
        caller: &Caller,
        filter: RunFilter,
        page: PageRequest,
    ) -> Result<Page<FlowRun>> {
        let permit = self
            .enter(caller, "flow_runs.list", Action::FlowRead)
            .await?;
        let found = self
            .core
            .store
            .reader(&permit)
            .flow_runs(&filter, &page)
            .await;
        let mut found = found.map_err(error::from_db)?;
        found
            .data
            .retain(|run| is_within_reach(caller, &run.mandate));
        Ok(found)
    }

    /// One run with its steps.
    pub async fn run(&self, caller: &Caller, id: FlowRunId) -> Result<RunView> {
        let permit = self
            .enter(caller, "flow_runs.get", Action::FlowRead)
            .await?;
        let run = self.find_run(caller, &permit, id).await?;
        let reader = self.core.store.reader(&permit);
        let steps = reader.flow_steps(id).await.map_err(error::from_db)?;
        Ok(RunView { run, steps })
    }

    /// What the journal says of a run, newest first.
    pub async fn journal(
        &self,
        caller: &Caller,
        id: FlowRunId,
        page: PageRequest,
    ) -> Result<RunLog> {
        let permit = self
            .enter(caller, "flow_runs.journal", Action::FlowRead)
            .await?;
        let run = self.find_run(caller, &permit, id).await?;
        let reader = self.core.store.reader(&permit);
        let bits = |at: Timestamp| u128::from(at.ms().max(0).unsigned_abs()) * ID_CLOCK;
        let from = AuditId::from_bits(bits(run.created_at));
        let found = reader.entries_about(&id.to_string(), from, &page).await;
        found.map_err(error::from_db)
    }

    /// Ends a run: at once when it waits for its turn, before its next step when it runs.
    pub async fn cancel(&self, caller: &Caller, id: FlowRunId) -> Result<FlowRun> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "flow_runs.cancel", Action::FlowManage)
                .await?;
            let run = self.find_run(caller, &permit, id).await?;
            if run.state.is_final() {
                let detail = format!("The run is {}.", run.state.as_str());
                return Err(Error::new(ErrorKind::StateConflict, detail));
            }
            let mut change = self.core.store.change(&permit);
            let fault =
                StepFault::permanent("cancelled", format!("{} cancelled it.", caller.label()));
            let run = self.core.cancel_run(&mut change, run, fault);
            made(&mut change, &run)?;
            let note = Note::record("flow_runs.cancel").about(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(run),
                Err(DbError::Conflict(conflict::FLOW_RUN_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("run"))
    }

    pub(super) async fn find_run(
        &self,
        caller: &Caller,
        permit: &Permit,
        id: FlowRunId,
    ) -> Result<FlowRun> {
        let found = self.core.store.reader(permit).flow_run(id).await;
        found
            .map_err(error::from_db)?
            .filter(|run| is_within_reach(caller, &run.mandate))
            .ok_or_else(|| Error::not_found("run"))
    }
}

impl Core {
    /// Asks a run to end, or ends it if it did not begin. The row is written with `change`.
    pub(super) fn cancel_run(
        &self,
        change: &mut Change,
        mut run: FlowRun,
        fault: StepFault,
    ) -> FlowRun {
        let now = self.clock.now();
        let subject = run.id.to_string();
        run.fault = Some(fault);
        if run.state == RunState::Queued {
            self.end_run(change, &mut run, RunState::Cancelled);
            change.drop_job(JobKind::RunFlow, &subject);
        } else {
            run.cancel_requested = true;
            change.hasten(JobKind::RunFlow, &subject, now);
        }
        run.revision += 1;
        run.updated_at = now;
        change.put_flow_run(&run);
        run
    }

    /// Puts a run into its final state, with its event. The caller writes the row.
    pub(super) fn end_run(&self, change: &mut Change, run: &mut FlowRun, state: RunState) {
        let now = self.clock.now();
        run.state = state;
        run.updated_at = now;
        run.finished_at = Some(now);
        change.end_turn(run.flow, run.id);
        let (event, status) = if state == RunState::Completed {
            (EventType::FlowRunCompleted, Outcome::Success)
        } else {
            (EventType::FlowRunFailed, Outcome::Error)
        };
        let operation = match state {
            RunState::Completed => "flow_runs.complete",
            RunState::Cancelled => "flow_runs.end",
            _ => "flow_runs.fail",
        };
        let note = Note::event(operation, event)
            .about(run.id)
            .ended(status)
            .with(run_facts(run));
        let mut entry = self.own_entry(note);
        entry.principal = Some(run.mandate.principal);
        change.journal(&entry);
    }
}
