//! How runs begin: by a call, by a trigger, or once more.

use std::collections::{BTreeMap, BTreeSet};

use bailee_auth::{Action, Caller};
use bailee_model::flow::{Concurrency, RunTrigger, Step, StepId};
use bailee_model::{
    Error, ErrorKind, Flow, FlowDocument, FlowFile, FlowId, FlowRun, FlowRunId, Job, JobId,
    JobKind, PrincipalId, Result, RunState, StepFault, StepRun, StepState, TenantId, Timestamp,
    limit,
};
use bailee_store::{Change, DbError, Reader, conflict};
use serde_json::{Map, Value};

use super::Flows;
use crate::files::{FileRef, RACES_MAX, living};
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{Core, error};

/// A run that somebody asks for.
#[derive(Clone, Debug, Default)]
pub struct NewRun {
    /// Values of parameters.
    pub params: BTreeMap<String, String>,
    /// Files to begin with.
    pub files: Vec<FileRef>,
}

/// How much of an ended run is run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rerun {
    /// All of it, by the flow's newest document.
    #[default]
    Whole,
    /// From the first step that did not end well, by the document that the run followed.
    FromFailed,
    /// From the first step that did not end well, by the flow's newest document: what was wrong with a step is mended
    /// there.
    FromFailedByNewest,
}

/// A run that a trigger asks for.
#[derive(Clone, Debug, Default)]
pub struct TriggeredRun {
    /// `arrival`, `event`, `flow`, `schedule`, `watch`, `hook`.
    pub kind: &'static str,
    /// Names the cause: for the same there is never a second run.
    pub key: String,
    /// What the cause told.
    pub facts: Map<String, Value>,
    /// Values of parameters.
    pub params: BTreeMap<String, String>,
    /// Files to begin with.
    pub files: Vec<FlowFile>,
    /// Not before this.
    pub start_at: Option<Timestamp>,
    /// How many runs of flows stand before this one as its causes.
    pub depth: u32,
}

/// What came of a trigger.
pub(crate) enum Admitted {
    /// A run.
    Run(Box<FlowRun>),
    /// None; the entry says why too.
    Refused(Error),
}

impl Flows<'_> {
    /// Starts a flow: queued and durable when this returns.
    pub async fn start(&self, caller: &Caller, id: FlowId, new: NewRun) -> Result<FlowRun> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        for _ in 0..RACES_MAX {
            let permit = self.enter(caller, "flows.run", Action::FlowManage).await?;
            let flow = self.find(caller, &permit, id).await?;
            let document = FlowDocument::parse(&flow.document)?;
            let mut run = self.core.new_run(&flow, api_trigger("api"));
            run.params = given(&document, &new.params)?;
            run.files = self.given_files(caller, &new.files).await?;
            run.started_by = Some(caller.principal());
            let mut change = self.core.store.change(&permit);
            let reader = self.core.store.reader(&permit);
            self.core
                .make_room(&reader, &mut change, (&flow, &document))
                .await?;
            self.core.add_run(&mut change, &run);
            made(&mut change, &run)?;
            let note = Note::record("flows.run")
                .about(run.id)
                .with(run_facts(&run));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(run),
                Err(DbError::Conflict(conflict::FLOW_RUN_REVISION | conflict::FLOW_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("flow"))
    }

    /// Starts a flow for a cause, once: whoever tells of the same cause again gets the same run. `None` if the flow is
    /// not there, is switched off, or does not take another run now; the journal says why.
    pub async fn start_by_trigger(
        &self,
        tenant: TenantId,
        id: FlowId,
        trigger: TriggeredRun,
    ) -> Result<Option<FlowRun>> {
        let queue = self.core.store.queue();
        for _ in 0..RACES_MAX {
            let reader = queue.reader(tenant);
            let flow = reader.flow(id).await.map_err(error::from_db)?;
            let Some(flow) = flow.filter(|flow| flow.is_enabled) else {
                return Ok(None);
            };
            let known = reader.flow_run_for(id, &trigger.key).await;
            if let Some(known) = known.map_err(error::from_db)? {
                return Ok(Some(known));
            }
            let mut change = queue.change(tenant);
            let admitted = self
                .core
                .admit_trigger(&reader, &mut change, (&flow, &trigger))
                .await?;
            let done = change.commit().await;
            match (done, admitted) {
                (Ok(()), Admitted::Run(run)) => return Ok(Some(*run)),
                (Ok(()), Admitted::Refused(_)) => return Ok(None),
                (
                    Err(DbError::Conflict(
                        conflict::FLOW_RUN_REVISION
                        | conflict::FLOW_RUN_KEY
                        | conflict::FLOW_REVISION,
                    )),
                    _,
                ) => {}
                (Err(error), _) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("flow"))
    }

    /// Runs an ended run once more, as a new one with `rerun_of`.
    pub async fn rerun(&self, caller: &Caller, id: FlowRunId, how: Rerun) -> Result<FlowRun> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "flow_runs.rerun", Action::FlowManage)
                .await?;
            let old = self.find_run(caller, &permit, id).await?;
            if !old.state.is_final() {
                let detail = "The run has not ended.";
                return Err(Error::new(ErrorKind::StateConflict, detail));
            }
            if how != Rerun::Whole && old.state == RunState::Completed {
                let detail = "No step of the run failed.";
                return Err(Error::new(ErrorKind::StateConflict, detail));
            }
            let flow = self.find(caller, &permit, old.flow).await?;
            let document = FlowDocument::parse(&flow.document)?;
            let mut run = self.core.new_run(&flow, old.trigger.clone());
            run.trigger.key = None;
            run.rerun_of = Some(id);
            run.started_by = Some(caller.principal());
            run.files.clone_from(&old.files);
            run.params = match how {
                Rerun::Whole | Rerun::FromFailedByNewest => given(&document, &old.params)?,
                Rerun::FromFailed => old.params.clone(),
            };
            let reader = self.core.store.reader(&permit);
            let mut change = self.core.store.change(&permit);
            self.core
                .make_room(&reader, &mut change, (&flow, &document))
                .await?;
            if how == Rerun::FromFailed {
                run.version = old.version;
            }
            self.core.add_run(&mut change, &run);
            if how != Rerun::Whole {
                let steps = reader.flow_steps(id).await.map_err(error::from_db)?;
                for (at, mut step) in (0_u64..).zip(done(how, &document, steps)) {
                    step.is_reused = true;
                    step.revision = 1;
                    change.insert_flow_step(run.id, &step, at);
                }
            }
            made(&mut change, &run)?;
            let note = Note::record("flow_runs.rerun")
                .about(run.id)
                .with(run_facts(&run));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(run),
                Err(DbError::Conflict(conflict::FLOW_RUN_REVISION | conflict::FLOW_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("flow"))
    }

    async fn given_files(&self, caller: &Caller, refs: &[FileRef]) -> Result<Vec<FlowFile>> {
        if refs.len() > limit::FLOW_FILES_MAX {
            let detail = format!("At most {} files.", limit::FLOW_FILES_MAX);
            return Err(Error::field("#/files", "too_many", detail));
        }
        let mut files = Vec::with_capacity(refs.len());
        for (at, file) in refs.iter().enumerate() {
            let found = self.core.files().stat(caller, file.clone()).await;
            let found = found.and_then(|found| living(&found).map(|()| found));
            match found {
                Ok(found) => files.push(flow_file(&found)),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let pointer = format!("#/files/{at}");
                    return Err(Error::field(
                        &pointer,
                        "not_found",
                        "There is no such file.",
                    ));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }
}

impl Core {
    fn new_run(&self, flow: &Flow, trigger: RunTrigger) -> FlowRun {
        let now = self.clock.now();
        FlowRun {
            id: FlowRunId::new(now, &*self.chance),
            flow: flow.id,
            flow_name: flow.name.clone(),
            version: flow.version,
            state: RunState::Queued,
            fault: None,
            mandate: flow.mandate.clone(),
            started_by: None,
            trigger,
            params: BTreeMap::new(),
            files: Vec::new(),
            rerun_of: None,
            depth: 0,
            start_at: None,
            cancel_requested: false,
            result: Vec::new(),
            created_at: now,
            started_at: None,
            updated_at: now,
            finished_at: None,
            revision: 1,
        }
    }

    fn add_run(&self, change: &mut Change, run: &FlowRun) {
        change.insert_flow_run(run);
        let now = self.clock.now();
        change.enqueue(&Job {
            id: JobId::new(now, &*self.chance),
            tenant: change.tenant(),
            kind: JobKind::RunFlow,
            subject: run.id.to_string(),
            lane: format!("flow:{}", run.flow),
            run_at: run.start_at.map_or(now, |start| start.max(now)),
            priority: 0,
        });
    }

    /// The run that a trigger asks for, or the entry that says why there is none. Both are added to `change`.
    pub(crate) async fn admit_trigger(
        &self,
        reader: &Reader,
        change: &mut Change,
        (flow, trigger): (&Flow, &TriggeredRun),
    ) -> Result<Admitted> {
        let mut run = self.new_run(flow, api_trigger(trigger.kind));
        run.trigger.key = Some(trigger.key.clone());
        run.trigger.facts.extend(trigger.facts.clone());
        run.files.clone_from(&trigger.files);
        run.start_at = trigger.start_at;
        run.depth = trigger.depth;
        let admitted = async {
            let document = FlowDocument::parse(&flow.document)?;
            if trigger.depth > limit::FLOW_CHAIN_MAX {
                let detail = "Too many flows have started each other in a row.";
                return Err(Error::new(ErrorKind::StateConflict, detail));
            }
            run.params = given(&document, &trigger.params)?;
            self.make_room(reader, change, (flow, &document)).await
        };
        let note = Note::record("flows.trigger");
        match admitted.await {
            Ok(()) => {
                self.add_run(change, &run);
                let note = note.about(run.id).with(run_facts(&run));
                change.journal(&self.own_entry(note));
                Ok(Admitted::Run(Box::new(run)))
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::StateConflict | ErrorKind::ValidationFailed
                ) =>
            {
                let note = note
                    .about(flow.id)
                    .ended(bailee_model::Outcome::Error)
                    .with(serde_json::json!({
                        "flow_id": flow.id, "trigger": trigger.kind, "key": trigger.key, "reason": error.detail(),
                    }));
                change.journal(&self.own_entry(note));
                Ok(Admitted::Refused(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Asks the flow's rule about runs that are open; what it says is added to `change`.
    async fn make_room(
        &self,
        reader: &Reader,
        change: &mut Change,
        (flow, document): (&Flow, &FlowDocument),
    ) -> Result<()> {
        // Whoever removes or changes the flow at the same time comes before or after.
        change.hold_flow(flow);
        let full = |detail: String| Err(Error::new(ErrorKind::StateConflict, detail));
        let open = reader
            .count_open_flow_runs(flow.id)
            .await
            .map_err(error::from_db)?;
        match document.concurrency {
            Concurrency::Queue if open > u64::from(document.queued_max) => {
                full(format!("{open} runs of the flow wait for their turn."))
            }
            Concurrency::Skip if open > 0 => {
                full("The flow runs, and takes one run at a time.".to_owned())
            }
            Concurrency::Queue | Concurrency::Skip => Ok(()),
            Concurrency::Replace => {
                let open = reader.open_flow_runs(flow.id, limit::FLOW_QUEUED_MAX).await;
                for run in open.map_err(error::from_db)? {
                    let fault = StepFault::permanent("replaced", "A newer run took its place.");
                    self.cancel_run(change, run, fault);
                }
                Ok(())
            }
        }
    }
}

/// The steps that are not done again. Another document may have others: of those that it begins with, the ones that ended
/// well.
fn done(how: Rerun, document: &FlowDocument, steps: Vec<StepRun>) -> Vec<StepRun> {
    let mut done = steps;
    done.retain(|step| step.state == StepState::Completed);
    if how == Rerun::FromFailedByNewest {
        let is_done = |step: &&Step| {
            let mut rows = done.iter();
            rows.any(|row| row.key == step.id.as_str() && row.kind == step.action.kind())
        };
        let kept = document.steps.iter().take_while(is_done);
        let kept: BTreeSet<StepId> = kept.flat_map(Step::ids).cloned().collect();
        done.retain(|row| kept.contains(&row.step));
    }
    done
}

fn api_trigger(kind: &str) -> RunTrigger {
    let mut facts = Map::new();
    facts.insert("kind".to_owned(), kind.into());
    RunTrigger {
        kind: kind.to_owned(),
        key: None,
        facts,
    }
}

/// The parameters of a run: those that were given, and what stands in the document for the rest.
fn given(
    document: &FlowDocument,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    for (name, value) in given {
        let pointer = format!("#/params/{name}");
        if !document.params.keys().any(|known| known.as_str() == name) {
            let detail = format!("The flow has no parameter `{name}`.");
            return Err(Error::field(&pointer, "unknown_param", detail));
        }
        if value.len() > limit::FLOW_TEXT_BYTES_MAX || value.chars().any(char::is_control) {
            let detail = format!(
                "At most {} bytes without control characters.",
                limit::FLOW_TEXT_BYTES_MAX
            );
            return Err(Error::field(&pointer, "invalid_text", detail));
        }
    }
    let mut params = BTreeMap::new();
    for (name, param) in &document.params {
        let name = name.as_str();
        let Some(value) = given.get(name).or(param.default.as_ref()) else {
            let detail = format!("The flow needs its parameter `{name}`.");
            return Err(Error::field(&format!("#/params/{name}"), "missing", detail));
        };
        params.insert(name.to_owned(), value.clone());
    }
    Ok(params)
}

/// A file as runs carry it.
pub fn flow_file(file: &bailee_model::File) -> FlowFile {
    FlowFile {
        path: file.path.clone(),
        file_id: file.id,
        name: file.path.name().clone(),
        size_bytes: file.size_bytes,
        hash: file.hash.clone(),
    }
}

/// What the journal says of a run: the `data` of its events.
pub(crate) fn run_facts(run: &FlowRun) -> Value {
    let started_by: Option<PrincipalId> = run.started_by;
    serde_json::json!({
        "run_id": run.id,
        "flow_id": run.flow,
        "flow": run.flow_name,
        "version": run.version,
        "state": run.state.as_str(),
        "trigger": run.trigger.kind,
        "started_by": started_by,
        "rerun_of": run.rerun_of,
        "files": run.files.len(),
        "error_code": run.fault.as_ref().map(|fault| &fault.code),
        "error_message": run.fault.as_ref().map(|fault| &fault.detail),
        "links": { "self": format!("/v1/flow-runs/{}", run.id) },
    })
}
