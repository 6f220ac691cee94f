use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Transfer;
use crate::word::words;

words! {
    /// What would become of a file.
    PlannedAction {
        /// It would be sent.
        Send = "send",
        /// It would be left alone.
        Skip = "skip",
        /// It would fail.
        Fail = "fail",
    }
}

/// What a transfer would do: the answer to `dry_run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransferPlan {
    /// Always true: nothing was made.
    pub dry_run: bool,
    /// Files that were found.
    pub files_total: u64,
    /// Of these, files that would be sent.
    pub files_sent: u64,
    /// Of these, files that would be left alone.
    pub files_skipped: u64,
    /// Of these, files that would fail.
    pub files_failed: u64,
    /// Bytes of the files that would be sent, where known.
    pub bytes_total: u64,
    /// Whether everything was looked at.
    pub is_complete: bool,
    /// Why not.
    #[schema(required)]
    pub incomplete_reason: Option<String>,
    /// The first 100 files.
    pub files: Vec<PlannedFile>,
}

/// A file of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlannedFile {
    /// From where.
    #[schema(example = "/out/report.csv")]
    pub source: String,
    /// To where.
    #[schema(example = "bank:/in/report.csv")]
    pub destination: String,
    /// Its size, where known.
    #[schema(required)]
    pub size_bytes: Option<u64>,
    /// What would become of it.
    pub action: PlannedAction,
    /// Why, unless it is simply sent.
    #[schema(required)]
    pub reason: Option<String>,
}

/// What `POST /transfers` answers with 200.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum TransferAnswer {
    /// With `dry_run`.
    Plan(TransferPlan),
    /// With `Prefer: wait`: the transfer, which has ended.
    Transfer(Box<Transfer>),
}
