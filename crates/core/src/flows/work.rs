//! Runs, as the engine works on them: every write holds the lease, or is refused.

use bailee_auth::{Caller, Door, Facts};
use bailee_model::flow::NotifyStep;
use bailee_model::{
    Delivery, DeliveryId, Error, ErrorKind, EventType, FileState, FlowDocument, FlowRun, FlowRunId,
    JobKind, Lease, Outcome, RequestId, Result, RunState, StepFault, StepRun, StepState, TenantId,
    Timestamp,
};
use bailee_store::{Change, DbError, conflict};

use super::start::run_facts;
use crate::events::{body_of, event_body};
use crate::files::FileRef;
use crate::jobs::fenced;
use crate::journal::Note;
use crate::{Core, error};

/// How soon a run looks again whether it is its turn. The run before it makes it look at once.
const TURN_WAIT_MS: i64 = 2_000;

/// Runs under way.
pub struct FlowWorks<'a> {
    pub(crate) core: &'a Core,
}

/// A run with all that its runner needs.
pub struct FlowWork {
    /// The run.
    pub run: FlowRun,
    /// The document that it follows.
    pub document: FlowDocument,
    /// Its steps that began.
    pub steps: Vec<StepRun>,
}

/// What a try to go on came to.
pub enum FlowBegun {
    /// It goes on.
    Work(Box<FlowWork>),
    /// There is nothing to do: it ended, or waits for its turn; the job is settled.
    Over,
}

impl FlowWorks<'_> {
    /// Takes a run up, if it is its turn.
    pub async fn begin(&self, lease: &Lease) -> Result<FlowBegun> {
        let tenant = lease.job.tenant;
        let id: FlowRunId = lease.job.subject.parse().map_err(Error::internal)?;
        let reader = self.core.store.queue().reader(tenant);
        let found = reader.flow_run(id).await.map_err(error::from_db)?;
        let Some(mut run) = found.filter(|run| !run.state.is_final()) else {
            self.core.jobs().finish(lease).await?;
            return Ok(FlowBegun::Over);
        };
        let now = self.core.clock.now();
        if run.state == RunState::Queued {
            let next = reader.next_flow_run(run.flow, now).await;
            if next.map_err(error::from_db)?.is_some_and(|next| next < id) {
                return self.not_yet(lease, &run).await;
            }
            if let Some(fault) = self.superseded(tenant, &run).await? {
                run.fault = Some(fault);
                self.end(lease, &mut run, RunState::Cancelled).await?;
                return Ok(FlowBegun::Over);
            }
        }
        if run.state != RunState::Running && !self.take_up(lease, &mut run).await? {
            return self.not_yet(lease, &run).await;
        }
        let document = reader.flow_version(run.flow, run.version).await;
        let document = document.map_err(error::from_db)?;
        let document = document.ok_or_else(|| Error::internal("a run without its document"))?;
        let steps = reader.flow_steps(id).await.map_err(error::from_db)?;
        Ok(FlowBegun::Work(Box::new(FlowWork {
            document: FlowDocument::parse(&document.document)?,
            run,
            steps,
        })))
    }

    async fn not_yet(&self, lease: &Lease, run: &FlowRun) -> Result<FlowBegun> {
        let now = self.core.clock.now();
        let look = Timestamp::from_ms(now.ms() + TURN_WAIT_MS);
        let at = run.start_at.map_or(look, |start| start.max(look));
        self.core.jobs().postpone(lease, at).await?;
        Ok(FlowBegun::Over)
    }

    /// False if it is another run's turn.
    async fn take_up(&self, lease: &Lease, run: &mut FlowRun) -> Result<bool> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold(lease).take_turn(run.flow, run.id);
        let now = self.core.clock.now();
        let mut written = run.clone();
        written.state = RunState::Running;
        if written.started_at.is_none() {
            written.started_at = Some(now);
            let note = Note::event("flow_runs.start", EventType::FlowRunStarted)
                .about(run.id)
                .with(run_facts(&written));
            let mut entry = self.core.own_entry(note);
            entry.principal = Some(run.mandate.principal);
            change.journal(&entry);
        }
        self.write(&mut change, &mut written);
        match change.commit().await {
            Ok(()) => {
                *run = written;
                Ok(true)
            }
            Err(DbError::Conflict(conflict::FLOW_BUSY)) => Ok(false),
            Err(error) => Err(settled(error)),
        }
    }

    /// A file that was to settle and was replaced or removed since: the newest has a run of its own.
    async fn superseded(&self, tenant: TenantId, run: &FlowRun) -> Result<Option<StepFault>> {
        if run.start_at.is_none() || run.trigger.kind != "arrival" {
            return Ok(None);
        }
        let reader = self.core.store.queue().reader(tenant);
        for file in &run.files {
            let found = reader.file(file.file_id).await.map_err(error::from_db)?;
            let is_there =
                found.is_some_and(|found| found.is_current && found.state == FileState::Available);
            if !is_there {
                let detail = format!("{} did not stay as it was.", file.path);
                return Ok(Some(StepFault::permanent("superseded", detail)));
            }
        }
        Ok(None)
    }

    /// In whose name a run acts, with the rights that they have now.
    pub async fn caller(&self, tenant: TenantId, run: &FlowRun) -> Result<Caller> {
        let now = self.core.clock.now();
        let facts = Facts {
            address: None,
            request: RequestId::new(now, &*self.core.chance),
            now,
            door: Door::Job,
        };
        let via = bailee_auth::Via::Flow {
            run: run.id,
            key: run.mandate.key,
        };
        self.core.by_mandate(tenant, &run.mandate, facts, via).await
    }

    /// The run as it is stored now.
    pub async fn reload(&self, tenant: TenantId, id: FlowRunId) -> Result<FlowRun> {
        let reader = self.core.store.queue().reader(tenant);
        let found = reader.flow_run(id).await.map_err(error::from_db)?;
        found.ok_or_else(|| Error::not_found("run"))
    }

    /// A step as it is stored now: a second person may have decided.
    pub async fn reload_step(
        &self,
        tenant: TenantId,
        id: FlowRunId,
        key: &str,
    ) -> Result<Option<StepRun>> {
        let reader = self.core.store.queue().reader(tenant);
        let steps = reader.flow_steps(id).await.map_err(error::from_db)?;
        Ok(steps.into_iter().find(|step| step.key == key))
    }

    /// Stores that a step begins.
    pub async fn begin_step(
        &self,
        lease: &Lease,
        run: &FlowRun,
        (step, ordinal): (&StepRun, u64),
    ) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold(lease).insert_flow_step(run.id, step, ordinal);
        if step.state.is_final() || step.state == StepState::Waiting {
            change.journal(&self.step_entry(run, step));
        }
        change.commit().await.map_err(settled)
    }

    /// Stores where a step is now. What ended it, or what it waits for, is journalled.
    pub async fn save_step(&self, lease: &Lease, run: &FlowRun, step: &mut StepRun) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold(lease);
        self.put_step(&mut change, run, step);
        change.commit().await.map_err(settled)
    }

    fn put_step(&self, change: &mut Change, run: &FlowRun, step: &mut StepRun) {
        step.revision += 1;
        change.put_flow_step(run.id, step);
        if step.state != StepState::Running {
            change.journal(&self.step_entry(run, step));
        }
    }

    fn step_entry(&self, run: &FlowRun, step: &StepRun) -> bailee_model::Entry {
        let is_asked = step
            .approval
            .as_ref()
            .is_some_and(|asked| asked.decision.is_none());
        let facts = serde_json::json!({
            "run_id": run.id,
            "flow_id": run.flow,
            "flow": run.flow_name,
            "step": step.key,
            "kind": step.kind,
            "step_state": step.state.as_str(),
            "attempt": step.attempt,
            "files_in": step.taken.len(),
            "files_out": step.files.len(),
            "transfer_id": step.transfer,
            "note": step.note,
            "message": step.approval.as_ref().and_then(|asked| asked.message.as_ref()),
            "deadline": step.approval.as_ref().map(|asked| asked.deadline),
            "error_code": step.fault.as_ref().map(|fault| &fault.code),
            "error_message": step.fault.as_ref().map(|fault| &fault.detail),
            "links": { "self": format!("/v1/flow-runs/{}", run.id) },
        });
        let note = if is_asked && step.state == StepState::Waiting {
            Note::event("flow_runs.ask", EventType::FlowApprovalRequested)
        } else {
            Note::record("flow_runs.step")
        };
        let status = if step.state == StepState::Failed {
            Outcome::Error
        } else {
            Outcome::Success
        };
        let mut entry = self
            .core
            .own_entry(note.about(run.id).ended(status).with(facts));
        entry.principal = Some(run.mandate.principal);
        entry
    }

    /// Stores that a `notify` step is done, and what it tells: the event, or a delivery to one webhook alone.
    pub async fn notify(
        &self,
        lease: &Lease,
        run: &FlowRun,
        (step, told): (&mut StepRun, (&NotifyStep, serde_json::Value)),
    ) -> Result<()> {
        let tenant = lease.job.tenant;
        let mut change = self.core.store.queue().change(tenant);
        change.hold(lease);
        let (notify, data) = told;
        let note = match notify.webhook {
            None => Note::event("flow_runs.notify", EventType::FlowNotified),
            Some(_) => Note::record("flow_runs.notify"),
        };
        let mut entry = self.core.own_entry(note.about(run.id).with(data));
        entry.principal = Some(run.mandate.principal);
        if let Some(id) = notify.webhook {
            let reader = self.core.store.queue().reader(tenant);
            let found = reader.webhook(id).await.map_err(error::from_db)?;
            let webhook = found.ok_or_else(|| Error::not_found("webhook"))?;
            let now = self.core.clock.now();
            let mut sent = entry.clone();
            sent.kind = bailee_model::EntryKind::Event(EventType::FlowNotified);
            let sealed = bailee_model::SealedEntry {
                sequence: 0,
                entry: sent,
            };
            let new = DeliveryId::new(now, &*self.core.chance);
            let delivery = Delivery {
                event: entry.event_id(),
                event_type: EventType::FlowNotified,
                body: body_of(webhook.format, event_body(tenant, &sealed)).to_string(),
                ..Delivery::scheduled(new, &webhook, now)
            };
            self.core.schedule(&mut change, &delivery);
        }
        change.journal(&entry);
        self.put_step(&mut change, run, step);
        change.commit().await.map_err(settled)
    }

    /// Gives a run back until `at`, or until somebody makes it look earlier.
    pub async fn park(&self, lease: &Lease, run: &mut FlowRun, at: Timestamp) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.run_again(lease, at);
        if run.state == RunState::Running {
            let mut written = run.clone();
            written.state = RunState::Waiting;
            self.write(&mut change, &mut written);
            change.commit().await.map_err(settled)?;
            *run = written;
            return Ok(());
        }
        change.commit().await.map_err(settled)
    }

    /// Makes a parked run look at once if what it waits for came while it was being parked.
    pub async fn look_again(&self, tenant: TenantId, id: FlowRunId) -> Result<()> {
        let reader = self.core.store.queue().reader(tenant);
        let run = reader.flow_run(id).await.map_err(error::from_db)?;
        let mut is_due = run.is_some_and(|run| run.cancel_requested);
        for step in reader.flow_steps(id).await.map_err(error::from_db)? {
            if step.state != StepState::Waiting {
                continue;
            }
            is_due |= step.approval.is_some_and(|asked| asked.decision.is_some());
            if let Some(transfer) = step.transfer {
                let found = reader.transfer(transfer).await.map_err(error::from_db)?;
                is_due |= found.is_none_or(|transfer| transfer.state.is_final());
            }
        }
        if is_due {
            let mut change = self.core.store.queue().change(tenant);
            let now = self.core.clock.now();
            change.hasten(JobKind::RunFlow, &id.to_string(), now);
            change.commit().await.map_err(error::from_db)?;
        }
        Ok(())
    }

    /// Ends a run, and lets the next have its turn.
    pub async fn end(&self, lease: &Lease, run: &mut FlowRun, state: RunState) -> Result<()> {
        let tenant = lease.job.tenant;
        let mut change = self.core.store.queue().change(tenant);
        let mut ended = run.clone();
        self.core.end_run(&mut change, &mut ended, state);
        self.write(&mut change, &mut ended);
        change.finish_job(lease);
        let now = self.core.clock.now();
        let reader = self.core.store.queue().reader(tenant);
        let next = reader.next_flow_run(run.flow, now).await;
        if let Some(next) = next.map_err(error::from_db)? {
            change.hasten(JobKind::RunFlow, &next.to_string(), now);
        }
        change.commit().await.map_err(settled)?;
        *run = ended;
        Ok(())
    }

    fn write(&self, change: &mut Change, run: &mut FlowRun) {
        run.revision += 1;
        run.updated_at = self.core.clock.now();
        change.put_flow_run(run);
    }

    /// A file as runs carry it; refused where the run's principal may not read it.
    pub async fn file(&self, caller: &Caller, file: FileRef) -> Result<bailee_model::FlowFile> {
        let found = self.core.files().stat(caller, file).await?;
        crate::files::living(&found)?;
        Ok(super::start::flow_file(&found))
    }
}

/// A write that came too late: the runner has to look again.
fn settled(error: DbError) -> Error {
    match error {
        DbError::Conflict(
            conflict::FLOW_RUN_REVISION | conflict::FLOW_STEP_REVISION | conflict::FLOW_BUSY,
        ) => Error::new(
            ErrorKind::StateConflict,
            "The run was changed in the meantime.",
        ),
        other => fenced(other),
    }
}
