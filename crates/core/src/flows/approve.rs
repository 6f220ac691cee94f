//! Questions to a second person.

use bailee_auth::{Action, Caller};
use bailee_model::flow::Decision;
use bailee_model::{Error, ErrorKind, FlowRun, FlowRunId, JobKind, Result, StepRun, StepState};
use bailee_store::{DbError, conflict};

use super::Flows;
use crate::files::RACES_MAX;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{checks, error};

/// What a second person says.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Whether it is yes.
    pub is_approved: bool,
    /// To which step; the only one that waits if absent.
    pub step: Option<String>,
    /// Why, in their words.
    pub note: Option<String>,
}

impl Flows<'_> {
    /// Answers the question for which a run waits. Not by who started it: a second person decides.
    pub async fn decide(
        &self,
        caller: &Caller,
        id: FlowRunId,
        verdict: Verdict,
    ) -> Result<FlowRun> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let operation = if verdict.is_approved {
            "flow_runs.approve"
        } else {
            "flow_runs.reject"
        };
        verdict
            .note
            .as_deref()
            .map_or(Ok(()), |note| checks::text("#/note", note))?;
        for _ in 0..RACES_MAX {
            let permit = self.enter(caller, operation, Action::FlowApprove).await?;
            let run = self.find_run(caller, &permit, id).await?;
            let reader = self.core.store.reader(&permit);
            let steps = reader.flow_steps(id).await.map_err(error::from_db)?;
            let now = self.core.clock.now();
            let mut step = waiting(steps, verdict.step.as_deref())?;
            let Some(approval) = step.approval.as_mut() else {
                return Err(nothing_asked());
            };
            let starter = run.started_by.unwrap_or(run.mandate.principal);
            if starter == caller.principal() {
                let detail = "Who started the run cannot decide about it: a second person does.";
                return Err(Error::new(ErrorKind::PolicyDenied, detail));
            }
            let is_named = approval
                .approvers
                .iter()
                .any(|label| label == caller.label());
            if !approval.approvers.is_empty() && !is_named {
                let detail = "The flow names others to decide about this.";
                return Err(Error::new(ErrorKind::PolicyDenied, detail));
            }
            if now >= approval.deadline {
                let detail = "The time to decide has passed.";
                return Err(Error::new(ErrorKind::StateConflict, detail));
            }
            approval.decision = Some(Decision {
                is_approved: verdict.is_approved,
                by: caller.principal(),
                label: caller.label().to_owned(),
                note: verdict.note.clone(),
                at: now,
            });
            step.revision += 1;
            let mut change = self.core.store.change(&permit);
            change.put_flow_step(id, &step);
            change.hasten(JobKind::RunFlow, &id.to_string(), now);
            made(&mut change, &run)?;
            let note = Note::record(operation).about(id).with(serde_json::json!({
                "run_id": id, "step": step.key, "note": verdict.note,
            }));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(run),
                Err(DbError::Conflict(conflict::FLOW_STEP_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("run"))
    }
}

/// The step that waits for an answer.
fn waiting(steps: Vec<StepRun>, key: Option<&str>) -> Result<StepRun> {
    let is_open = |step: &StepRun| {
        let is_undecided = step
            .approval
            .as_ref()
            .is_some_and(|asked| asked.decision.is_none());
        step.state == StepState::Waiting && is_undecided && key.is_none_or(|key| key == step.key)
    };
    steps.into_iter().find(is_open).ok_or_else(nothing_asked)
}

fn nothing_asked() -> Error {
    Error::new(
        ErrorKind::StateConflict,
        "The run does not wait for a decision.",
    )
}
