use bailee_model::{self as model, FileId, Timestamp, TransferId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{TransferOutcome, TransferState, TransferStatus};
use crate::List;

/// One file of a transfer: `GET /transfers/{transfer_id}/files`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransferFile {
    /// Names the transfer of this one file.
    #[schema(value_type = String, example = "xfr_01m7yp4kyae4ma4jz41b93y214")]
    pub transfer_id: TransferId,
    /// From where.
    #[schema(example = "bank:/out/report.csv")]
    pub source: String,
    /// To where.
    #[schema(example = "/in/report.csv")]
    pub destination: String,
    /// Its size, once known.
    #[schema(required)]
    pub size_bytes: Option<u64>,
    /// Bytes of it known to have arrived.
    pub bytes_done: u64,
    /// SHA-256 of what was moved, once known.
    #[schema(required)]
    pub hash: Option<String>,
    /// Where it is.
    pub state: TransferState,
    /// Whether it ended well without moving anything.
    pub skipped: bool,
    /// How it ended; null until then.
    #[schema(required)]
    pub outcome: Option<TransferOutcome>,
    /// Why it, or its last try, ended early: a code with a page below `/docs/problems/`.
    #[schema(required)]
    pub error_code: Option<String>,
    /// The same in plain words.
    #[schema(required)]
    pub error_message: Option<String>,
    /// What to do next.
    #[schema(required)]
    pub hint: Option<String>,
    /// Tries so far.
    pub attempts: u32,
    /// Where it came to lie: another place than `destination` where a free name was looked for. Null before that.
    #[schema(required)]
    pub placed_at: Option<String>,
    /// Whether its source was removed; null where that was not asked for, or it did not come so far.
    #[schema(required)]
    pub source_removed: Option<bool>,
    /// What to know of it although it ended well.
    pub notes: Vec<String>,
    /// The file it made in Bailee.
    #[schema(value_type = Option<String>, required)]
    pub file_id: Option<FileId>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub finished_at: Option<Timestamp>,
}

/// A page of the files of a transfer.
pub type TransferFileList = List<TransferFile>;

impl From<&model::Transfer> for TransferFile {
    fn from(transfer: &model::Transfer) -> Self {
        let status = TransferStatus::from(transfer);
        Self {
            transfer_id: transfer.id,
            source: transfer.source.to_string(),
            destination: transfer.destination.to_string(),
            size_bytes: transfer.bytes_total,
            bytes_done: transfer.bytes_done,
            hash: transfer.hash.clone(),
            state: status.state,
            skipped: transfer.is_skipped,
            outcome: status.outcome,
            error_code: status.error_code,
            error_message: status.error_message,
            hint: status.hint,
            attempts: transfer.attempt,
            placed_at: transfer.placed_at.clone(),
            source_removed: transfer.source_removed,
            notes: transfer.notes.clone(),
            file_id: transfer.result_file,
            finished_at: transfer.finished_at,
        }
    }
}
