//! Transfers: bytes from here to there.

mod end;
mod file;
mod plan;

use std::collections::BTreeMap;

use bailee_model::{self as model, FlowRunId, PrincipalId, Timestamp, TransferId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List, Patch, object};

pub use end::{FileEnd, PathEnd, RemoteEnd, TransferEnd};
pub use file::{TransferFile, TransferFileList};
pub use plan::{PlannedAction, PlannedFile, TransferAnswer, TransferPlan};

words! {
    /// Where a transfer is. `completed` and `failed` are final.
    TransferState {
        /// Waiting for a runner, or for its next try.
        Queued = "queued",
        /// Under way; `step` says where.
        Running = "running",
        /// Held; `paused_reason` says why.
        Paused = "paused",
        /// Ended well.
        Completed = "completed",
        /// Ended otherwise; `outcome` says how.
        Failed = "failed",
    }
}

impl From<model::TransferState> for TransferState {
    fn from(state: model::TransferState) -> Self {
        Self::from(state.public())
    }
}

words! {
    /// How a transfer ended.
    TransferOutcome {
        /// Everything is there, whole.
        Succeeded = "succeeded",
        /// Some of its files are there.
        Partial = "partial",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
        /// Policy refused it.
        Rejected = "rejected",
        /// Its deadline passed.
        Expired = "expired",
        /// A fault that no retry mends, or one too many.
        Error = "error",
    }
}
words_from!(bailee_model::TransferOutcome => TransferOutcome { Succeeded, Partial, Cancelled, Rejected, Expired, Error });

words! {
    /// What a running transfer does.
    TransferStep {
        /// Opens both ends.
        Opening = "opening",
        /// Moves bytes.
        Moving = "moving",
        /// Compares what arrived with what was sent.
        Verifying = "verifying",
        /// Gives the file its final name.
        Settling = "settling",
    }
}
words_from!(bailee_model::TransferStep => TransferStep { Opening, Moving, Verifying, Settling });

words! {
    /// Why a transfer is held.
    PausedReason {
        /// Waits for its next try.
        Retry = "retry",
        /// An operator held it.
        Operator = "operator",
        /// Waits for a second person.
        Approval = "approval",
        /// Waits for its window.
        Window = "window",
        /// Waits for quota.
        Quota = "quota",
        /// Waits for the remote.
        Remote = "remote",
    }
}

words! {
    /// How the copy is compared with the source.
    Verify {
        /// By reading it back and hashing it.
        Hash = "hash",
        /// By its size.
        Size = "size",
        /// Not at all.
        None = "none",
    }
}
words_from!(bailee_model::Verify => Verify { Hash, Size, None });

words! {
    /// What happens when the destination is occupied.
    OnConflict {
        /// The transfer fails.
        Fail = "fail",
        /// The old file is replaced, at once and whole.
        Replace = "replace",
        /// The new file takes a free name beside the old one.
        Rename = "rename",
        /// The transfer succeeds without moving anything.
        Skip = "skip",
    }
}
words_from!(bailee_model::OnConflict => OnConflict { Fail, Replace, Rename, Skip });

words! {
    /// What makes a file at the destination the same as its source, so that it is left alone.
    Sync {
        /// That it is there.
        Exists = "exists",
        /// Its size.
        Size = "size",
        /// Its size, and that it was changed no earlier than the source.
        Mtime = "mtime",
        /// Its content.
        Hash = "hash",
    }
}
words_from!(bailee_model::Same => Sync { Exists, Size, Mtime, Hash });

/// When transient faults are tried again: the wait doubles, with full jitter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferRetry {
    /// Tries in all; 5 when absent.
    pub max_attempts: Option<u32>,
    /// Wait before the second try, in seconds; 2 when absent.
    pub initial_delay_seconds: Option<u32>,
    /// The wait never exceeds this, in seconds; 120 when absent.
    pub max_delay_seconds: Option<u32>,
}

/// Body of `POST /transfers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"source": "reports/report.csv", "destination": "bank:/in/report.csv", "notify_on_completion": true}))]
pub struct CreateTransfer {
    /// From where: a file, or a folder with everything in it. A trailing `/` says that it is a folder. This or `sources`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<TransferEnd>,
    /// From where, if there are many: at most 10,000 files and folders. What is in a folder goes into `destination` as it
    /// lies in the folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10000)]
    pub sources: Vec<TransferEnd>,
    /// Only files that one of these patterns means: `*.csv` is about the name, `2026/**/*.csv` about the path below the
    /// source folder. Every file when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 64)]
    pub include: Vec<String>,
    /// No files that one of these patterns means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 64)]
    pub exclude: Vec<String>,
    /// To where. For many files it is a folder; what is missing of it and below it is made.
    pub destination: TransferEnd,
    /// Whether its owner wants a notice of their own. Webhooks get their events anyway.
    #[serde(default)]
    pub notify_on_completion: bool,
    /// For people.
    pub label: Option<String>,
    /// After this it ends with outcome `expired`.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub deadline: Option<Timestamp>,
    /// Lower runs first; 0 when absent.
    pub priority: Option<i32>,
    /// How the copy is checked; `hash` when absent.
    #[schema(value_type = Option<Verify>)]
    pub verify: Option<model::Verify>,
    /// What happens when the destination is occupied; `fail` when absent.
    #[schema(value_type = Option<OnConflict>)]
    pub on_conflict: Option<model::OnConflict>,
    /// Not before this.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub start_at: Option<Timestamp>,
    /// When transient faults are tried again.
    #[serde(default, deserialize_with = "object::or_null")]
    pub retry: Option<TransferRetry>,
    /// Leaves alone what is the same at the destination; it counts as skipped. What differs is treated by `on_conflict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Sync>)]
    pub sync: Option<model::Same>,
    /// Removes each source once its copy is compared with it and has its final name. Just the version that was sent goes;
    /// one that was changed meanwhile stays, and a note says so. It takes the scope `files:delete`, and `verify` other
    /// than `none`.
    #[serde(default)]
    pub delete_source: bool,
    /// Gives the copy the time of its source, where the destination can keep it; else a note says that it cannot.
    #[serde(default)]
    pub preserve_time: bool,
    /// Bytes per second at most, for all its files together, on each node that runs some of them. No bound when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1024)]
    pub bandwidth: Option<u64>,
    /// Custom entries.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// Makes nothing, and answers 200 with what would be moved.
    #[serde(default)]
    pub dry_run: bool,
}

impl CreateTransfer {
    /// A transfer from `source` to `destination` with every default.
    pub fn new(source: impl Into<TransferEnd>, destination: impl Into<TransferEnd>) -> Self {
        Self {
            source: Some(source.into()),
            sources: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            destination: destination.into(),
            notify_on_completion: false,
            label: None,
            deadline: None,
            priority: None,
            verify: None,
            on_conflict: None,
            start_at: None,
            retry: None,
            sync: None,
            delete_source: false,
            preserve_time: false,
            bandwidth: None,
            metadata: BTreeMap::new(),
            dry_run: false,
        }
    }
}

/// Body of `PATCH /transfers/{transfer_id}`: a JSON Merge Patch (RFC 7396) for a transfer that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTransfer {
    /// For people; null removes it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>)]
    pub label: Patch<String>,
    /// After this it ends with outcome `expired`; null lifts it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub deadline: Patch<Timestamp>,
    /// Lower runs first.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = i32, required = false)]
    pub priority: Option<i32>,
}

/// The whole transfer: answered by create, cancel, retry and read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    /// Names the transfer.
    #[schema(value_type = String, example = "xfr_01m7yp4kyae4ma4jz41b93y214")]
    pub transfer_id: TransferId,
    /// Where it is.
    pub state: TransferState,
    /// How it ended; null until then.
    #[schema(required)]
    pub outcome: Option<TransferOutcome>,
    /// What it does now; null unless it runs.
    #[schema(required)]
    pub step: Option<TransferStep>,
    /// Why it, or its last try, ended early: a code with a page below `/docs/problems/`.
    #[schema(required)]
    pub error_code: Option<String>,
    /// The same in plain words; never null when `state` is `failed`.
    #[schema(required)]
    pub error_message: Option<String>,
    /// What to do next.
    #[schema(required)]
    pub hint: Option<String>,
    /// From where: `/path`, `fil_…` or `name:/path`.
    #[schema(example = "/reports/report.csv")]
    pub source: String,
    /// To where: `/path` or `name:/path`.
    #[schema(example = "bank:/in/report.csv")]
    pub destination: String,
    /// Bytes to move, once known.
    #[schema(required)]
    pub bytes_total: Option<u64>,
    /// Bytes known to have arrived.
    pub bytes_done: u64,
    /// Files to move, once known.
    #[schema(required)]
    pub files_total: Option<u64>,
    /// Files that arrived.
    pub files_done: u64,
    /// Files that did not.
    pub files_failed: u64,
    /// Files that did not need to move.
    pub files_skipped: u64,
    /// Average since it first ran, while it runs.
    #[schema(required)]
    pub bytes_per_second: Option<u64>,
    /// Time left at this rate, in seconds.
    #[schema(required)]
    pub eta_seconds: Option<u64>,
    /// Which try is under way or was last; 0 before the first.
    pub attempt: u32,
    /// Tries in all.
    pub max_attempts: u32,
    /// When the next try starts.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub next_attempt_at: Option<Timestamp>,
    /// Why it is held: by an `operator` while `state` is `paused`; for a `remote` that does not answer or whose `window`
    /// is closed while it is `queued`, until `next_attempt_at`.
    #[schema(required)]
    pub paused_reason: Option<PausedReason>,
    /// For people.
    #[schema(required)]
    pub label: Option<String>,
    /// Lower runs first.
    pub priority: i32,
    /// After this it ends with outcome `expired`.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub deadline: Option<Timestamp>,
    /// How the copy is checked.
    pub verify: Verify,
    /// What happens when the destination is occupied.
    pub on_conflict: OnConflict,
    /// Whether the source is removed once the copy is proven.
    pub delete_source: bool,
    /// Whether the source was removed; null where that was not asked for, before the end, and of many files.
    #[schema(required)]
    pub source_removed: Option<bool>,
    /// Whether the copy shall have the time of its source.
    pub preserve_time: bool,
    /// What to know of it although it ended well.
    pub notes: Vec<String>,
    /// The transfer that this one repeats.
    #[schema(value_type = Option<String>, example = "xfr_01m7yp4kyae4ma4jz41b93y214", required)]
    pub retry_of: Option<TransferId>,
    /// The transfer of many files that this one is a part of.
    #[schema(value_type = Option<String>, example = "xfr_01m7yp4kyae4ma4jz41b93y214", required)]
    pub parent: Option<TransferId>,
    /// The run of a flow that asked for it.
    #[schema(value_type = Option<String>, example = "run_01m7yp4kyae4ma4jz41b93y214", required)]
    pub flow_run_id: Option<FlowRunId>,
    /// Whose rights it runs with.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub created_by: PrincipalId,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// When it first ran.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub started_at: Option<Timestamp>,
    /// When anything last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub updated_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub finished_at: Option<Timestamp>,
    /// Where to ask how it goes.
    #[schema(example = "/v1/transfers/xfr_01m7yp4kyae4ma4jz41b93y214/status")]
    pub status_url: String,
    /// Where it is found.
    pub links: Links,
}

/// A page of transfers.
pub type TransferList = List<Transfer>;

/// The light view: `GET /transfers/{transfer_id}/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransferStatus {
    /// Names the transfer.
    #[schema(value_type = String, example = "xfr_01m7yp4kyae4ma4jz41b93y214")]
    pub transfer_id: TransferId,
    /// Where it is; `completed` and `failed` are final.
    pub state: TransferState,
    /// How it ended; null until then.
    #[schema(required)]
    pub outcome: Option<TransferOutcome>,
    /// Why it, or its last try, ended early: a code with a page below `/docs/problems/`.
    #[schema(required)]
    pub error_code: Option<String>,
    /// The same in plain words; never null when `state` is `failed`.
    #[schema(required)]
    pub error_message: Option<String>,
    /// What to do next.
    #[schema(required)]
    pub hint: Option<String>,
    /// Bytes to move, once known.
    #[schema(required)]
    pub bytes_total: Option<u64>,
    /// Bytes known to have arrived.
    pub bytes_done: u64,
    /// Files to move, once known.
    #[schema(required)]
    pub files_total: Option<u64>,
    /// Files that arrived.
    pub files_done: u64,
    /// Files that did not.
    pub files_failed: u64,
    /// Files that did not need to move.
    pub files_skipped: u64,
    /// Which try is under way or was last; 0 before the first.
    pub attempt: u32,
    /// When the next try starts.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub next_attempt_at: Option<Timestamp>,
    /// When anything last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub updated_at: Timestamp,
}

impl From<&model::Transfer> for Transfer {
    fn from(transfer: &model::Transfer) -> Self {
        let status = TransferStatus::from(transfer);
        let rate = bytes_per_second(transfer);
        let left = status
            .bytes_total
            .map(|total| total.saturating_sub(status.bytes_done));
        Self {
            transfer_id: transfer.id,
            state: status.state,
            outcome: status.outcome,
            step: transfer.state.step().map(Into::into),
            error_code: status.error_code,
            error_message: status.error_message,
            hint: status.hint,
            source: transfer.source.to_string(),
            destination: transfer.destination.to_string(),
            bytes_total: status.bytes_total,
            bytes_done: status.bytes_done,
            files_total: status.files_total,
            files_done: status.files_done,
            files_failed: status.files_failed,
            files_skipped: status.files_skipped,
            bytes_per_second: rate,
            eta_seconds: rate
                .zip(left)
                .and_then(|(rate, left)| left.checked_div(rate)),
            attempt: status.attempt,
            max_attempts: transfer.retry.max_attempts,
            next_attempt_at: status.next_attempt_at,
            paused_reason: paused_reason(transfer),
            label: transfer.label.clone(),
            priority: transfer.priority,
            deadline: transfer.deadline,
            verify: transfer.verify.into(),
            on_conflict: transfer.on_conflict.into(),
            delete_source: transfer.delete_source,
            source_removed: transfer.source_removed,
            preserve_time: transfer.preserve_time,
            notes: transfer.notes.clone(),
            retry_of: transfer.retry_of,
            parent: transfer.parent,
            flow_run_id: transfer.flow_run,
            created_by: transfer.created_by,
            created_at: transfer.created_at,
            started_at: transfer.started_at,
            updated_at: status.updated_at,
            finished_at: transfer.finished_at,
            status_url: format!("/v1/transfers/{}/status", transfer.id),
            links: Links::to("transfers", transfer.id),
        }
    }
}

impl From<&model::Transfer> for TransferStatus {
    fn from(transfer: &model::Transfer) -> Self {
        let fault = transfer.fault.as_ref();
        let counts = counts(transfer);
        Self {
            transfer_id: transfer.id,
            state: transfer.state.into(),
            outcome: transfer.outcome.map(Into::into),
            error_code: fault.map(|fault| fault.code.clone()),
            error_message: fault
                .map(|fault| fault.message.clone())
                .or_else(|| message_without_fault(transfer)),
            hint: fault.and_then(|fault| fault.hint.clone()),
            bytes_total: match transfer.counts {
                Some(counts) => counts.is_listed.then_some(counts.bytes_total),
                None => transfer.bytes_total,
            },
            bytes_done: bytes_done(transfer),
            files_total: counts.is_listed.then_some(counts.files_total),
            files_done: counts.files_done,
            files_failed: counts.files_failed,
            files_skipped: counts.files_skipped,
            attempt: transfer.attempt,
            next_attempt_at: transfer.next_attempt_at,
            updated_at: transfer.updated_at.max(counts.updated_at),
        }
    }
}

/// Why nothing moves: somebody holds it, or it waits for a remote.
fn paused_reason(transfer: &model::Transfer) -> Option<PausedReason> {
    match (transfer.state, transfer.waits_for) {
        (model::TransferState::Paused, _) => Some(PausedReason::Operator),
        (model::TransferState::Queued, Some(model::WaitReason::Remote)) => {
            Some(PausedReason::Remote)
        }
        (model::TransferState::Queued, Some(model::WaitReason::Window)) => {
            Some(PausedReason::Window)
        }
        _ => None,
    }
}

/// One file counts as one of one.
fn counts(transfer: &model::Transfer) -> model::FileCounts {
    let is = |state| transfer.state == state;
    transfer.counts.unwrap_or_else(|| model::FileCounts {
        is_listed: true,
        files_total: 1,
        files_done: u64::from(is(model::TransferState::Completed) && !transfer.is_skipped),
        files_skipped: u64::from(is(model::TransferState::Completed) && transfer.is_skipped),
        files_failed: u64::from(is(model::TransferState::Failed)),
        ..model::FileCounts::default()
    })
}

fn bytes_done(transfer: &model::Transfer) -> u64 {
    transfer
        .counts
        .map_or(transfer.bytes_done, |counts| counts.bytes_done)
}

/// A failed transfer always has a message: poll loops show it without looking at the outcome.
fn message_without_fault(transfer: &model::Transfer) -> Option<String> {
    let plain = match transfer.outcome {
        Some(model::TransferOutcome::Cancelled) => "The transfer was cancelled.",
        Some(model::TransferOutcome::Rejected) => "The transfer was refused.",
        Some(model::TransferOutcome::Expired) => "The transfer's deadline passed.",
        _ => "The transfer failed.",
    };
    (transfer.state == model::TransferState::Failed).then(|| plain.to_owned())
}

/// The average since the first start; none unless it runs.
fn bytes_per_second(transfer: &model::Transfer) -> Option<u64> {
    transfer.state.step()?;
    let updated_at = transfer.updated_at.max(counts(transfer).updated_at);
    let elapsed = updated_at.since(transfer.started_at?);
    let elapsed_ms = u64::try_from(elapsed.as_millis()).ok()?;
    let done = bytes_done(transfer).saturating_mul(1000);
    done.checked_div(elapsed_ms)
}
