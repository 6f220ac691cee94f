use std::collections::BTreeMap;

use bailee_model::{FileId, FlowId, FlowRunId, PrincipalId, Timestamp, TransferId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List};

words! {
    /// Where a run is.
    FlowRunState {
        /// Waiting for its turn.
        Queued = "queued",
        /// A step is at work.
        Running = "running",
        /// A step waits: for a transfer, a person, a time, or its next try.
        Waiting = "waiting",
        /// Done.
        Completed = "completed",
        /// Ended by a fault.
        Failed = "failed",
        /// Ended by somebody, or by a newer run.
        Cancelled = "cancelled",
    }
}
words_from!(bailee_model::RunState => FlowRunState { Queued, Running, Waiting, Completed, Failed, Cancelled });

words! {
    /// Where a step of a run is.
    FlowStepState {
        /// At work.
        Running = "running",
        /// Waiting.
        Waiting = "waiting",
        /// Done.
        Completed = "completed",
        /// Ended by a fault.
        Failed = "failed",
        /// Ended with its run.
        Cancelled = "cancelled",
    }
}
words_from!(bailee_model::StepState => FlowStepState { Running, Waiting, Completed, Failed, Cancelled });

/// Body of `POST /flows/{flow_id}/runs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({"params": {"region": "eu"}, "files": ["/inbox/report.csv"]}))]
pub struct StartFlow {
    /// Values of the document's `params`.
    pub params: BTreeMap<String, String>,
    /// Files to begin with: paths, or ids of versions.
    pub files: Vec<String>,
}

/// Body of `POST /flow-runs/{run_id}/rerun`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RerunFlow {
    /// Whether steps that ended well are not done again; the run then follows the document of the old one.
    pub from_failed: bool,
    /// Whether such a run follows the flow's newest document instead, in which the failed step may have been mended.
    pub newest: bool,
}

/// Body of `POST /flow-runs/{run_id}/approve` and `/reject`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DecideFlow {
    /// Which step is answered, by its key; the first that waits when absent.
    pub step: Option<String>,
    /// Why.
    pub note: Option<String>,
}

/// A file as a run carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowFile {
    /// The version.
    #[schema(value_type = String, example = "fil_01m7yp4jy0emq8k9w39qsaekf4")]
    pub file_id: FileId,
    /// Where it was when its step put it out.
    #[schema(example = "/inbox/report.csv")]
    pub path: String,
    /// Its name.
    #[schema(example = "report.csv")]
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, lower-case hex.
    pub hash: String,
}

/// A question to a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowApproval {
    /// What is asked.
    #[schema(required)]
    pub message: Option<String>,
    /// Who may decide, by label; anybody with the right to if empty.
    pub approvers: Vec<String>,
    /// Until when.
    #[schema(value_type = String, format = DateTime, example = "2026-11-28T09:14:00.000Z")]
    pub deadline: Timestamp,
    /// Whether it was yes; null while nobody decided.
    #[schema(required)]
    pub approved: Option<bool>,
    /// Who decided.
    #[schema(value_type = Option<String>, example = "usr_01m7yp4nesedqrb018tr4sjm6r", required)]
    pub decided_by: Option<PrincipalId>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T10:00:00.000Z", required)]
    pub decided_at: Option<Timestamp>,
    /// Why.
    #[schema(required)]
    pub note: Option<String>,
}

/// One step of a run, or of one file of a `for_each` in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowStep {
    /// Names it in its run: `decrypt`, or `each.3.decrypt`.
    #[schema(example = "decrypt")]
    pub key: String,
    /// Which step of the document.
    #[schema(example = "decrypt")]
    pub step: String,
    /// What it does.
    #[schema(example = "transfer")]
    pub kind: String,
    /// Where it is.
    pub state: FlowStepState,
    /// Which try is under way or was last.
    pub attempt: u32,
    /// When it goes on by itself.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T10:00:00.000Z", required)]
    pub resume_at: Option<Timestamp>,
    /// The transfer that it waits for, or waited.
    #[schema(value_type = Option<String>, example = "xfr_01m7yp4kyae4ma4jz41b93y214", required)]
    pub transfer_id: Option<TransferId>,
    /// The question that it asks a second person.
    #[schema(required)]
    pub approval: Option<FlowApproval>,
    /// Why it failed, or why its last try did.
    #[schema(required)]
    pub error_code: Option<String>,
    /// The same in plain words.
    #[schema(required)]
    pub error_message: Option<String>,
    /// What it did, in plain words.
    #[schema(required)]
    pub note: Option<String>,
    /// How many files it took.
    pub files_in: u64,
    /// The files that it put out.
    pub files: Vec<FlowFile>,
    /// Whether the run of which this one is a repetition did it.
    pub reused: bool,
    /// When it began.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:01.000Z", required)]
    pub finished_at: Option<Timestamp>,
}

/// A run of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowRun {
    /// Names the run.
    #[schema(value_type = String, example = "run_01m7yp4nesedqrb018tr4sjm6r")]
    pub run_id: FlowRunId,
    /// Its flow.
    #[schema(value_type = String, example = "flw_01m7yp4nesedqrb018tr4sjm6r")]
    pub flow_id: FlowId,
    /// The flow's name when it began.
    #[schema(example = "archive")]
    pub flow: String,
    /// The version of the document that it follows.
    pub version: u32,
    /// Where it is.
    pub state: FlowRunState,
    /// Why it ended early.
    #[schema(required)]
    pub error_code: Option<String>,
    /// The same in plain words.
    #[schema(required)]
    pub error_message: Option<String>,
    /// What started it: `api`, `arrival`, `event`, `flow`, `schedule`, `remote`, `webhook`.
    #[schema(example = "arrival")]
    pub trigger: String,
    /// What the trigger told; templates read it as `trigger.…`.
    #[schema(value_type = Object)]
    pub trigger_facts: serde_json::Map<String, serde_json::Value>,
    /// Who asked for it; null where a trigger did.
    #[schema(value_type = Option<String>, example = "usr_01m7yp4nesedqrb018tr4sjm6r", required)]
    pub started_by: Option<PrincipalId>,
    /// In whose name it acts.
    #[schema(value_type = String, example = "usr_01m7yp4nesedqrb018tr4sjm6r")]
    pub owner: PrincipalId,
    /// What it was given.
    pub params: BTreeMap<String, String>,
    /// The files that it began with.
    pub files: Vec<FlowFile>,
    /// The files of its last step, once it completed.
    pub result: Vec<FlowFile>,
    /// Its steps that began; only where one run is read, else null.
    #[schema(required)]
    pub steps: Option<Vec<FlowStep>>,
    /// The run that this one repeats.
    #[schema(value_type = Option<String>, example = "run_01m7yp4nesedqrb018tr4sjm6r", required)]
    pub rerun_of: Option<FlowRunId>,
    /// Whether somebody asked for it to end.
    pub cancel_requested: bool,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// When a runner first took it.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:09.000Z", required)]
    pub finished_at: Option<Timestamp>,
    /// Where it is found.
    pub links: Links,
}

/// A page of runs.
pub type FlowRunList = List<FlowRun>;

/// One line of a run's log: an entry of the journal about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowRunEntry {
    /// Its place in the tenant's journal.
    pub sequence: u64,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub timestamp: Timestamp,
    /// What was done: `flow_runs.step`, `flow_runs.complete`.
    #[schema(example = "flow_runs.step")]
    pub operation: String,
    /// `success`, `denied` or `error`.
    #[schema(example = "success")]
    pub status: String,
    /// Who, by label.
    #[schema(example = "bailee")]
    pub user: String,
    /// Further facts.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// A page of a run's log, newest first.
pub type FlowRunEntryList = List<FlowRunEntry>;

impl From<&bailee_model::FlowFile> for FlowFile {
    fn from(file: &bailee_model::FlowFile) -> Self {
        Self {
            file_id: file.file_id,
            path: file.path.to_string(),
            name: file.name.to_string(),
            size: file.size_bytes,
            hash: file.hash.clone(),
        }
    }
}

impl From<&bailee_model::flow::Approval> for FlowApproval {
    fn from(asked: &bailee_model::flow::Approval) -> Self {
        let decision = asked.decision.as_ref();
        Self {
            message: asked.message.clone(),
            approvers: asked.approvers.clone(),
            deadline: asked.deadline,
            approved: decision.map(|decision| decision.is_approved),
            decided_by: decision.map(|decision| decision.by),
            decided_at: decision.map(|decision| decision.at),
            note: decision.and_then(|decision| decision.note.clone()),
        }
    }
}

impl From<&bailee_model::StepRun> for FlowStep {
    fn from(step: &bailee_model::StepRun) -> Self {
        Self {
            key: step.key.clone(),
            step: step.step.to_string(),
            kind: step.kind.clone(),
            state: step.state.into(),
            attempt: step.attempt,
            resume_at: step.resume_at,
            transfer_id: step.transfer,
            approval: step.approval.as_ref().map(FlowApproval::from),
            error_code: step.fault.as_ref().map(|fault| fault.code.clone()),
            error_message: step.fault.as_ref().map(|fault| fault.detail.clone()),
            note: step.note.clone(),
            files_in: step.taken.len() as u64,
            files: step.files.iter().map(FlowFile::from).collect(),
            reused: step.is_reused,
            started_at: step.started_at,
            finished_at: step.finished_at,
        }
    }
}

impl From<&bailee_model::FlowRun> for FlowRun {
    /// The run without its steps.
    fn from(run: &bailee_model::FlowRun) -> Self {
        Self {
            run_id: run.id,
            flow_id: run.flow,
            flow: run.flow_name.to_string(),
            version: run.version,
            state: run.state.into(),
            error_code: run.fault.as_ref().map(|fault| fault.code.clone()),
            error_message: run.fault.as_ref().map(|fault| fault.detail.clone()),
            trigger: run.trigger.kind.clone(),
            trigger_facts: run.trigger.facts.clone(),
            started_by: run.started_by,
            owner: run.mandate.principal,
            params: run.params.clone(),
            files: run.files.iter().map(FlowFile::from).collect(),
            result: run.result.iter().map(FlowFile::from).collect(),
            steps: None,
            rerun_of: run.rerun_of,
            cancel_requested: run.cancel_requested,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            links: Links::to("flow-runs", run.id),
        }
    }
}
