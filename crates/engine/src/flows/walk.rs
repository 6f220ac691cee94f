//! The walk through a run's steps.

use std::collections::BTreeMap;

use bailee_core::Caller;
use bailee_core::model::flow::{FilesFrom, OnError, Step, TimeSpan};
use bailee_core::model::{
    Error, ErrorKind, FlowDocument, FlowFile, FlowRun, Lease, StepFault, StepRun, StepState,
    Timestamp, limit as model_limit,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::facts::Place;
use super::fault_of;
use super::place::as_pattern;
use crate::Shared;
use crate::stop::{Stop, StopReason};

/// Why a walk ends before the last step's end.
pub(super) enum Halt {
    /// A step failed, and with it the run.
    Failed(StepFault),
    /// A step says that the run ends well here.
    End(Vec<FlowFile>),
    /// A step waits, until this at most.
    Parked(Timestamp),
    /// Somebody wants the run to end.
    Cancelled,
    /// This runner has to stop.
    Stopped(StopReason),
    /// Something is wrong that is not the run's.
    Broken(Error),
}

impl From<StopReason> for Halt {
    fn from(reason: StopReason) -> Self {
        Self::Stopped(reason)
    }
}

/// What an action came to.
pub(super) enum Did {
    /// It is done; its files go to the next step.
    Done(Vec<FlowFile>, Option<String>),
    /// The same, and that is stored.
    Stored(Vec<FlowFile>),
    /// The run ends well here.
    End,
    /// It waits, until this at most.
    Waits(Timestamp),
}

/// Why an action came to nothing.
pub(super) enum Trouble {
    /// A fault, and what it put out nevertheless.
    Fault(StepFault, Vec<FlowFile>),
    /// Something that ends the walk.
    Halt(Halt),
}

impl From<StepFault> for Trouble {
    fn from(fault: StepFault) -> Self {
        Self::Fault(fault, Vec::new())
    }
}

impl From<Halt> for Trouble {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl From<Error> for Trouble {
    /// What is wrong with the server itself is no fault of the step.
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InternalError
            | ErrorKind::Unavailable
            | ErrorKind::IdempotencyKeyInProgress
            | ErrorKind::Draining => Self::Halt(Halt::Broken(error)),
            _ => Self::Fault(fault_of(&error), Vec::new()),
        }
    }
}

/// Where in a run a walk is: within which files of which `for_each`.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// What the keys of steps here begin with: `each.3.`
    pub(super) prefix: String,
    /// The file at hand.
    pub(super) file: Option<FlowFile>,
}

/// One runner at one run.
pub(super) struct Runner<'a> {
    pub(super) shared: &'a Shared,
    pub(super) lease: &'a Lease,
    pub(super) stop: &'a Stop,
    pub(super) caller: Caller,
    pub(super) run: FlowRun,
    pub(super) document: FlowDocument,
    pub(super) steps: BTreeMap<String, StepRun>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        (shared, lease, stop): (&'a Shared, &'a Lease, &'a Stop),
        caller: Caller,
        (run, document): (FlowRun, FlowDocument),
        steps: Vec<StepRun>,
    ) -> Self {
        let steps = steps.into_iter().map(|step| (step.key.clone(), step));
        Self {
            shared,
            lease,
            stop,
            caller,
            run,
            document,
            steps: steps.collect(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.core.clock().now()
    }

    /// Walks the whole document; the files of the last step.
    pub(super) async fn walk_all(&mut self) -> Result<Vec<FlowFile>, Halt> {
        let steps = self.document.steps.clone();
        let files = self.run.files.clone();
        self.walk(&steps, files, Scope::default()).await
    }

    pub(super) fn walk<'w>(
        &'w mut self,
        steps: &'w [Step],
        mut files: Vec<FlowFile>,
        scope: Scope,
    ) -> BoxFuture<'w, Result<Vec<FlowFile>, Halt>> {
        async move {
            for step in steps {
                files = self.step(step, files, &scope).await?;
            }
            Ok(files)
        }
        .boxed()
    }

    /// Stops here if somebody wants the run to end, or this runner has to stop.
    pub(super) async fn check(&mut self) -> Result<(), Halt> {
        self.stop.check()?;
        let works = self.shared.core.flow_works();
        let stored = works.reload(self.lease.job.tenant, self.run.id).await;
        let stored = stored.map_err(Halt::Broken)?;
        if stored.cancel_requested {
            self.run = stored;
            return Err(Halt::Cancelled);
        }
        // Rights may have changed since the step before.
        let caller = works.caller(self.lease.job.tenant, &self.run).await;
        self.caller = caller.map_err(|error| match Trouble::from(error) {
            Trouble::Fault(fault, _) => Halt::Failed(fault),
            Trouble::Halt(halt) => halt,
        })?;
        Ok(())
    }

    async fn step(
        &mut self,
        step: &Step,
        before: Vec<FlowFile>,
        scope: &Scope,
    ) -> Result<Vec<FlowFile>, Halt> {
        let key = format!("{}{}", scope.prefix, step.id);
        match self.steps.get(&key) {
            Some(done) if done.state == StepState::Completed => return Ok(done.files.clone()),
            Some(failed) if failed.state == StepState::Failed => {
                return match step.on_error {
                    OnError::Continue => Ok(failed.files.clone()),
                    OnError::Fail => {
                        Err(Halt::Failed(failed.fault.clone().unwrap_or_else(unknown)))
                    }
                };
            }
            _ => {}
        }
        self.check().await?;
        if !self.steps.contains_key(&key) {
            self.begin(step, &key, before, scope).await?;
        }
        let now = self.now();
        let row = self.row(&key)?;
        if row.state == StepState::Waiting
            && row.fault.is_some()
            && let Some(at) = row.resume_at.filter(|at| *at > now)
        {
            return Err(Halt::Parked(at));
        }
        let did = match row.fault.clone().filter(|_| row.attempt == 0) {
            // What it is to work on could not be found.
            Some(fault) => Err(fault.into()),
            None => self.act(step, &key, scope).await,
        };
        self.settle(step, &key, did).await
    }

    /// Stores that a step begins, with the files that it takes.
    async fn begin(
        &mut self,
        step: &Step,
        key: &str,
        before: Vec<FlowFile>,
        scope: &Scope,
    ) -> Result<(), Halt> {
        let (taken, fault) = match self.take(step, before, scope).await {
            Ok(taken) => (taken, None),
            Err(Trouble::Fault(fault, _)) => (Vec::new(), Some(fault)),
            Err(Trouble::Halt(halt)) => return Err(halt),
        };
        let now = self.now();
        let row = StepRun {
            key: key.to_owned(),
            step: step.id.clone(),
            kind: step.action.kind().to_owned(),
            state: StepState::Running,
            attempt: u32::from(fault.is_none()),
            resume_at: None,
            deadline: step
                .timeout
                .map(TimeSpan::duration)
                .map(|span| now.plus(span)),
            transfer: None,
            approval: None,
            fault,
            note: None,
            taken,
            files: Vec::new(),
            is_reused: false,
            started_at: now,
            finished_at: None,
            revision: 1,
        };
        let works = self.shared.core.flow_works();
        let place = (&row, self.steps.len() as u64);
        let begun = works.begin_step(self.lease, &self.run, place).await;
        begun.map_err(Halt::Broken)?;
        self.steps.insert(key.to_owned(), row);
        Ok(())
    }

    /// The files that a step takes.
    async fn take(
        &self,
        step: &Step,
        before: Vec<FlowFile>,
        scope: &Scope,
    ) -> Result<Vec<FlowFile>, Trouble> {
        let Some(sources) = &step.files else {
            return Ok(before);
        };
        let mut taken: Vec<FlowFile> = Vec::new();
        for source in sources {
            let more = match source {
                FilesFrom::Run => self.run.files.clone(),
                FilesFrom::Step(id) => self
                    .ended(scope, id.as_str())
                    .map(|step| step.files)
                    .unwrap_or_default(),
                FilesFrom::Pattern(template) => {
                    let text = self.render(template, &before, scope)?;
                    self.list(as_pattern(template, &text)?).await?
                }
            };
            for file in more {
                if !taken.iter().any(|known| known.file_id == file.file_id) {
                    taken.push(file);
                }
            }
        }
        if taken.len() > model_limit::FLOW_FILES_MAX {
            let detail = format!(
                "A step takes at most {} files.",
                model_limit::FLOW_FILES_MAX
            );
            return Err(StepFault::permanent("too_many_files", detail).into());
        }
        Ok(taken)
    }

    pub(super) fn row(&self, key: &str) -> Result<StepRun, Halt> {
        let found = self.steps.get(key).cloned();
        found.ok_or_else(|| Halt::Broken(Error::internal("a step without its row")))
    }

    /// A step that began, seen from a place: within the same file first, then further out.
    pub(super) fn ended(&self, scope: &Scope, id: &str) -> Option<StepRun> {
        let mut prefix = scope.prefix.as_str();
        loop {
            if let Some(found) = self.steps.get(&format!("{prefix}{id}")) {
                return Some(found.clone());
            }
            if prefix.is_empty() {
                return None;
            }
            // `a.1.b.2.` is within `a.1.`, which is within nothing.
            let above = prefix.trim_end_matches('.').rsplitn(3, '.').nth(2);
            prefix = above.map_or("", |above| prefix.get(..=above.len()).unwrap_or_default());
        }
    }

    /// What a template says at a place.
    pub(super) fn render(
        &self,
        template: &bailee_core::model::flow::Template,
        files: &[FlowFile],
        scope: &Scope,
    ) -> Result<String, StepFault> {
        let step = |id: &str| self.ended(scope, id);
        template.render(&Place {
            run: &self.run,
            zone: &self.document.timezone,
            files,
            file: scope.file.as_ref(),
            step: &step,
        })
    }

    /// Stores what an action came to, and says how the walk goes on.
    async fn settle(
        &mut self,
        step: &Step,
        key: &str,
        did: Result<Did, Trouble>,
    ) -> Result<Vec<FlowFile>, Halt> {
        let mut row = self.row(key)?;
        let now = self.now();
        match did {
            Ok(Did::Stored(files)) => Ok(files),
            Ok(Did::Waits(at)) => Err(Halt::Parked(at)),
            Ok(Did::Done(files, note)) => {
                row.state = StepState::Completed;
                row.fault = None;
                row.note = note.or(row.note);
                row.files.clone_from(&files);
                self.finish(row, now).await?;
                Ok(files)
            }
            Ok(Did::End) => {
                row.state = StepState::Completed;
                row.note = Some("The run ends here.".to_owned());
                self.finish(row, now).await?;
                Err(Halt::End(Vec::new()))
            }
            Err(Trouble::Halt(halt)) => Err(halt),
            Err(Trouble::Fault(fault, out)) => {
                let is_open = row.deadline.is_none_or(|deadline| now < deadline);
                if fault.retryable && row.attempt < step.retry.max_attempts && is_open {
                    let wait = step.retry.delay_ms(row.attempt, self.shared.draw());
                    let at = now.plus(std::time::Duration::from_millis(wait));
                    row.state = StepState::Waiting;
                    row.attempt += 1;
                    row.transfer = None;
                    row.resume_at = Some(at);
                    row.fault = Some(fault);
                    self.save(row).await?;
                    return Err(Halt::Parked(at));
                }
                row.state = StepState::Failed;
                row.files = if step.action.passes_on() {
                    row.taken.clone()
                } else {
                    out
                };
                row.fault = Some(fault.clone());
                let files = row.files.clone();
                self.finish(row, now).await?;
                match step.on_error {
                    OnError::Continue => Ok(files),
                    OnError::Fail => Err(Halt::Failed(StepFault {
                        detail: format!("Step `{key}`: {}", fault.detail),
                        ..fault
                    })),
                }
            }
        }
    }

    async fn finish(&mut self, mut row: StepRun, now: Timestamp) -> Result<(), Halt> {
        row.resume_at = None;
        row.finished_at = Some(now);
        self.save(row).await
    }

    pub(super) async fn save(&mut self, mut row: StepRun) -> Result<(), Halt> {
        self.stop.check()?;
        let works = self.shared.core.flow_works();
        let saved = works.save_step(self.lease, &self.run, &mut row).await;
        saved.map_err(Halt::Broken)?;
        self.steps.insert(row.key.clone(), row);
        Ok(())
    }
}

fn unknown() -> StepFault {
    StepFault::permanent("internal_error", "The step failed.")
}
