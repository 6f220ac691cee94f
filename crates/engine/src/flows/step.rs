//! What each kind of step does.

use bailee_core::model::flow::{
    Approval, ApproveStep, NotifyStep, Step, StepAction, Template, WaitStep,
};
use bailee_core::model::{
    ContentOut, ContentStep, Error, FlowFile, StepFault, StepState, limit as model_limit,
};
use serde_json::json;

use super::walk::{Did, Runner, Scope, Trouble};
use crate::limit;

impl Runner<'_> {
    /// Does what a step is for, or goes on with it.
    pub(super) async fn act(
        &mut self,
        step: &Step,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        match &step.action {
            StepAction::Transfer(transfer) => self.transfer(transfer, key, scope).await,
            StepAction::Branch(branch) => self.branch(branch, key, scope).await,
            StepAction::ForEach(each) => self.for_each(each, key).await,
            StepAction::Approve(approve) => self.approve(approve, key, scope).await,
            StepAction::Wait(wait) => self.wait(wait, key).await,
            _ => {
                let stop = self.stop.clone();
                let left = self.time_left(key)?;
                let done = tokio::time::timeout(left, self.act_at_once(step, key, scope));
                match stop.or(done).await {
                    Ok(Ok(did)) => did,
                    Ok(Err(_)) => Err(late().into()),
                    Err(reason) => Err(Trouble::Halt(reason.into())),
                }
            }
        }
    }

    /// Steps that wait for nobody.
    async fn act_at_once(&mut self, step: &Step, key: &str, scope: &Scope) -> Result<Did, Trouble> {
        match &step.action {
            StepAction::Copy(place) => self.copy(place, key, scope).await,
            StepAction::Move(place) => self.relocate(place, key, scope).await,
            StepAction::Rename(rename) => self.rename(rename, key, scope).await,
            StepAction::Delete(delete) => self.delete(delete, key).await,
            StepAction::Tag(tag) => self.tag(tag, key, scope).await,
            StepAction::Notify(notify) => self.notify(notify, key, scope).await,
            StepAction::Content(content) => self.content(content, key, scope).await,
            StepAction::Fail(fail) => {
                let taken = self.row(key)?.taken;
                let detail = self.render(&fail.message, &taken, scope)?;
                Err(StepFault::permanent("flow_failed", detail).into())
            }
            _ => Err(StepFault::permanent("internal_error", "This step cannot be run.").into()),
        }
    }

    /// How long a step may still take.
    fn time_left(&self, key: &str) -> Result<std::time::Duration, Trouble> {
        let now = self.now();
        match self.row(key)?.deadline {
            Some(deadline) if now >= deadline => Err(late().into()),
            Some(deadline) => Ok(deadline.since(now)),
            None => Ok(limit::STEP_TIME_MAX),
        }
    }

    async fn notify(
        &mut self,
        notify: &NotifyStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let mut row = self.row(key)?;
        let taken = row.taken.clone();
        let message = self.render(&notify.message, &taken, scope)?;
        let mut fields = serde_json::Map::new();
        for (name, template) in &notify.fields {
            fields.insert(name.clone(), self.render(template, &taken, scope)?.into());
        }
        let data = json!({
            "run_id": self.run.id,
            "flow_id": self.run.flow,
            "flow": self.run.flow_name,
            "step": key,
            "message": message,
            "fields": fields,
            "files": taken.len(),
            "links": { "self": format!("/v1/flow-runs/{}", self.run.id) },
        });
        row.state = StepState::Completed;
        row.fault = None;
        row.note = Some(message);
        row.files.clone_from(&taken);
        row.finished_at = Some(self.now());
        let works = self.shared.core.flow_works();
        works
            .notify(self.lease, &self.run, (&mut row, (notify, data)))
            .await?;
        self.steps.insert(key.to_owned(), row);
        Ok(Did::Stored(taken))
    }

    /// Steps that make content of content: in the step's own folder.
    async fn content(
        &mut self,
        step: &ContentStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let taken = self.row(key)?.taken;
        let mut texts = serde_json::to_value(step).map_err(Error::internal)?;
        self.fill(&mut texts, &taken, scope)?;
        let step: ContentStep = serde_json::from_value(texts).map_err(|error| {
            let detail = format!("The step does not make sense once filled in: {error}.");
            StepFault::permanent("template_invalid", detail)
        })?;
        let out = ContentOut {
            folder: self.work_folder(key)?,
        };
        let core = &self.shared.core;
        let made = super::content::run(core, &self.caller, &step, &taken, &out).await?;
        let note = format!("{} files became {}.", taken.len(), made.len());
        Ok(Did::Done(made, Some(note)))
    }

    /// Fills the templates in a step of no shape of ours.
    fn fill(
        &self,
        value: &mut serde_json::Value,
        taken: &[FlowFile],
        scope: &Scope,
    ) -> Result<(), StepFault> {
        match value {
            serde_json::Value::String(text) if text.contains("${") => {
                let template: Template = text
                    .parse()
                    .map_err(|detail: String| StepFault::permanent("template_invalid", detail))?;
                *text = self.render(&template, taken, scope)?;
                Ok(())
            }
            serde_json::Value::Array(items) => items
                .iter_mut()
                .try_for_each(|item| self.fill(item, taken, scope)),
            serde_json::Value::Object(fields) => fields
                .values_mut()
                .try_for_each(|field| self.fill(field, taken, scope)),
            _ => Ok(()),
        }
    }

    async fn wait(&mut self, wait: &WaitStep, key: &str) -> Result<Did, Trouble> {
        let mut row = self.row(key)?;
        let now = self.now();
        if let Some(at) = row.resume_at {
            return if now >= at {
                Ok(Did::Done(row.taken, None))
            } else {
                Ok(Did::Waits(at))
            };
        }
        let until = match (wait.span, wait.until) {
            (Some(span), _) => Some(now.plus(span.duration())),
            (None, Some(time)) => self.document.timezone.next(time, now),
            (None, None) => None,
        };
        let Some(at) = until else {
            return Ok(Did::Done(row.taken, None));
        };
        row.state = StepState::Waiting;
        row.resume_at = Some(at);
        self.save(row).await?;
        Ok(Did::Waits(at))
    }

    async fn approve(
        &mut self,
        approve: &ApproveStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let mut row = self.row(key)?;
        let now = self.now();
        let Some(asked) = &row.approval else {
            let message = approve.message.as_ref();
            let message = message.map(|message| self.render(message, &row.taken, scope));
            let span = approve.deadline.map_or(
                model_limit::FLOW_APPROVAL_LIFE,
                bailee_core::model::flow::TimeSpan::duration,
            );
            let last = now.plus(span);
            let deadline = row.deadline.map_or(last, |deadline| deadline.min(last));
            row.approval = Some(Approval {
                message: message.transpose()?,
                approvers: approve.approvers.clone(),
                deadline,
                decision: None,
            });
            row.state = StepState::Waiting;
            self.save(row).await?;
            return Ok(Did::Waits(deadline));
        };
        match &asked.decision {
            Some(decision) if decision.is_approved => {
                let note = format!("{} approved it.", decision.label);
                Ok(Did::Done(row.taken, Some(note)))
            }
            Some(decision) => {
                let why = decision.note.as_ref().map(|note| format!(": {note}"));
                let detail = format!("{} rejected it{}", decision.label, why.unwrap_or_default());
                Err(StepFault::permanent("rejected", detail).into())
            }
            None if now >= asked.deadline => {
                let detail = "Nobody decided in time.";
                Err(StepFault::permanent("approval_expired", detail).into())
            }
            None => Ok(Did::Waits(asked.deadline)),
        }
    }
}

pub(super) fn late() -> StepFault {
    StepFault::permanent("step_timeout", "The step took longer than it may.")
}
