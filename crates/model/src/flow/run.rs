use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FlowFile, FlowName, StepFault, StepId};
use crate::{
    FlowId, FlowRunId, FolderPath, KeyId, PrincipalId, ScheduleId, Scopes, Timestamp, TransferId,
};

/// What somebody left behind to be done in their name: who, and the most that it may do. What it may do in the end is
/// asked each time, with the rights that the principal has then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// In whose name.
    pub principal: PrincipalId,
    /// The scopes of the credential by which it was given.
    pub scopes: Scopes,
    /// Folders outside which it sees nothing; empty is no bound.
    #[serde(default)]
    pub path_prefixes: Vec<FolderPath>,
    /// The key by which it was given: it ends when that is revoked, and not when that expires.
    #[serde(default)]
    pub key: Option<KeyId>,
}

/// A flow: a document, and who answers for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// Unique in the tenant; that of the document.
    pub name: FlowName,
    /// Whether triggers start it.
    pub is_enabled: bool,
    /// Counts its documents, from 1.
    pub version: u32,
    /// The newest document, as JSON.
    pub document: serde_json::Value,
    /// In whose name it runs: whoever made the newest document.
    pub mandate: Mandate,
    /// The schedules that stand in its newest document, in that order.
    #[serde(default)]
    pub schedules: Vec<ScheduleId>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Since when it is as it is.
    pub updated_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

/// A document that a flow had or has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowVersion {
    /// Its flow.
    pub flow: FlowId,
    /// From 1.
    pub version: u32,
    /// The document, as JSON.
    pub document: serde_json::Value,
    /// Who made it.
    pub created_by: PrincipalId,
    /// When.
    pub created_at: Timestamp,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waiting for its turn.
    Queued,
    /// A step is at work.
    Running,
    /// A step waits: for a transfer, a person, a time, or its next try.
    Waiting,
    /// Done. Final.
    Completed,
    /// Ended by a fault. Final.
    Failed,
    /// Ended by somebody, or by a newer run. Final.
    Cancelled,
}

impl RunState {
    /// All states.
    pub const ALL: &'static [Self] = &[
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// What is not listed cannot happen.
    pub const fn may_become(self, next: Self) -> bool {
        use RunState::{Cancelled, Completed, Failed, Queued, Running, Waiting};
        matches!(
            (self, next),
            (Queued | Waiting, Running)
                | (Running, Waiting | Completed)
                | (Queued | Running | Waiting, Failed | Cancelled)
        )
    }

    /// Whether nothing can follow.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The state as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What started a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunTrigger {
    /// `api`, `arrival`, `event`, `flow`, `schedule`, `watch`, `hook`.
    pub kind: String,
    /// Names the cause: a flow never runs twice for the same. `None` where each call is a cause of its own.
    pub key: Option<String>,
    /// What the cause told; templates read it as `trigger.…`.
    #[serde(default)]
    pub facts: serde_json::Map<String, serde_json::Value>,
}

/// One run of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowRun {
    /// Its id.
    pub id: FlowRunId,
    /// Of which flow.
    pub flow: FlowId,
    /// The flow's name when it began.
    pub flow_name: FlowName,
    /// The version of the document that it follows.
    pub version: u32,
    /// Where it is.
    pub state: RunState,
    /// Why it ended early, or what its last step met.
    pub fault: Option<StepFault>,
    /// In whose name.
    pub mandate: Mandate,
    /// Who asked for it; `None` where a trigger did.
    pub started_by: Option<PrincipalId>,
    /// What started it.
    pub trigger: RunTrigger,
    /// What it was given.
    pub params: BTreeMap<String, String>,
    /// The files that it began with.
    pub files: Vec<FlowFile>,
    /// The run that this one repeats.
    pub rerun_of: Option<FlowRunId>,
    /// How many runs of flows stand before this one as its causes.
    #[serde(default)]
    pub depth: u32,
    /// Not before this: its files are to settle.
    #[serde(default)]
    pub start_at: Option<Timestamp>,
    /// Whether somebody asked for it to end; the runner obeys before the next step.
    pub cancel_requested: bool,
    /// What it came to, once it completed: the files of its last step.
    #[serde(default)]
    pub result: Vec<FlowFile>,
    /// Since when it exists: also the time that its dates are made of.
    pub created_at: Timestamp,
    /// When a runner first took it.
    pub started_at: Option<Timestamp>,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Rises with every write of the row: a stale writer is refused.
    pub revision: u64,
}

/// Where a step of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// At work.
    Running,
    /// Waiting: for a transfer, a person, a time, or its next try.
    Waiting,
    /// Done. Final.
    Completed,
    /// Ended by a fault. Final.
    Failed,
    /// Ended with its run. Final.
    Cancelled,
}

impl StepState {
    /// All states.
    pub const ALL: &'static [Self] = &[
        Self::Running,
        Self::Waiting,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// What is not listed cannot happen.
    pub const fn may_become(self, next: Self) -> bool {
        use StepState::{Cancelled, Completed, Failed, Running, Waiting};
        matches!(
            (self, next),
            (Running, Waiting)
                | (Waiting, Running)
                | (Running | Waiting, Completed | Failed | Cancelled)
        )
    }

    /// Whether nothing can follow.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The state as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A question to a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What is asked.
    pub message: Option<String>,
    /// Who may decide, by label; anybody with the right to if empty.
    pub approvers: Vec<String>,
    /// Until when.
    pub deadline: Timestamp,
    /// What was decided.
    pub decision: Option<Decision>,
}

/// What a second person decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it was yes.
    pub is_approved: bool,
    /// Who.
    pub by: PrincipalId,
    /// How the journal names them.
    pub label: String,
    /// Why, in their words.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// One step of one run, or of one file of a `for_each` in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRun {
    /// Names it in its run: `decrypt`, or `each.3.decrypt`.
    pub key: String,
    /// Which step of the document.
    pub step: StepId,
    /// What it does.
    pub kind: String,
    /// Where it is.
    pub state: StepState,
    /// Which try is under way or was last.
    pub attempt: u32,
    /// When it goes on by itself.
    pub resume_at: Option<Timestamp>,
    /// Until when it may take.
    pub deadline: Option<Timestamp>,
    /// The transfer that it waits for, or waited.
    pub transfer: Option<TransferId>,
    /// The question that it waits for, or waited.
    pub approval: Option<Approval>,
    /// Why it failed, or why its last try did.
    pub fault: Option<StepFault>,
    /// What it did, in plain words.
    pub note: Option<String>,
    /// Files that it took: the same at each try.
    #[serde(default)]
    pub taken: Vec<FlowFile>,
    /// Files that it put out.
    pub files: Vec<FlowFile>,
    /// Whether the run of which this one is a repetition did it.
    #[serde(default)]
    pub is_reused: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Rises with every write of the row: a stale writer is refused.
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_final_state_and_every_open_one_can_end() {
        for from in RunState::ALL {
            let ends = RunState::ALL
                .iter()
                .any(|to| to.is_final() && from.may_become(*to));
            assert_eq!(ends, !from.is_final(), "{from:?}");
            let goes_on = RunState::ALL.iter().any(|to| from.may_become(*to));
            assert_eq!(goes_on, !from.is_final(), "{from:?}");
        }
        for from in StepState::ALL {
            let goes_on = StepState::ALL.iter().any(|to| from.may_become(*to));
            assert_eq!(goes_on, !from.is_final(), "{from:?}");
        }
    }

    #[test]
    fn every_state_can_be_reached() {
        for to in RunState::ALL
            .iter()
            .filter(|state| **state != RunState::Queued)
        {
            assert!(
                RunState::ALL.iter().any(|from| from.may_become(*to)),
                "{to:?}"
            );
        }
        for to in StepState::ALL {
            assert!(
                StepState::ALL.iter().any(|from| from.may_become(*to)),
                "{to:?}"
            );
        }
    }
}
