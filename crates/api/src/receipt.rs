//! Receipts: the signed proof of a hand-over.

use std::collections::BTreeMap;

use bailee_model::{DecisionId, FileId, PrincipalId, TenantId, Timestamp, TransferId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A receipt. Its form is described in the guide on receipts; whoever verifies one does so with its bytes, not with this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Name and version of the form.
    #[schema(example = "bailee-receipt-v1")]
    pub format: String,
    /// What it attests.
    pub receipt: ReceiptFacts,
    /// The journal's entry of the end of the transfer: the values that its leaf hashes.
    pub entry: BTreeMap<String, Option<String>>,
    /// Its place in the journal, from 1.
    pub sequence: u64,
    /// That it stands there: the proof of RFC 6962 from the leaf up, lower-case hex.
    pub proof: Vec<String>,
    /// The signed checkpoint that the proof leads to.
    pub checkpoint: String,
    /// The public key of the checkpoint and of this document.
    pub key: String,
    /// Ed25519 over the form's name, a line feed, and the document without this member; base64.
    pub signature: String,
}

/// What a receipt attests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptFacts {
    /// Whose transfer.
    #[schema(value_type = String, example = "ten_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub tenant_id: TenantId,
    /// The transfer.
    #[schema(value_type = String, example = "xfr_01m7yp4kyae4ma4jz41b93y214")]
    pub transfer_id: TransferId,
    /// The transfer of many files that it is a part of.
    #[schema(value_type = Option<String>, required)]
    pub parent: Option<TransferId>,
    /// `succeeded`, or `partial`.
    pub outcome: String,
    /// From where.
    #[schema(example = "/reports/report.csv")]
    pub source: String,
    /// To where.
    #[schema(example = "bank:/in/report.csv")]
    pub destination: String,
    /// Where it came to lie.
    #[schema(required)]
    pub placed_at: Option<String>,
    /// The file it made in Bailee.
    #[schema(value_type = Option<String>, required)]
    pub file_id: Option<FileId>,
    /// Of many files: how they stand.
    #[schema(required)]
    pub files: Option<ReceiptFiles>,
    /// Bytes that arrived.
    #[schema(required)]
    pub size: Option<u64>,
    /// Hash of the content, lower-case hex; null for many files.
    #[schema(required)]
    pub hash: Option<String>,
    /// Which hash.
    #[schema(example = "sha-256")]
    pub hash_algorithm: String,
    /// By what the copy was found to be whole: `remote_digest`, `read_back`, `size` or `sealed`.
    #[schema(required)]
    pub verified_by: Option<String>,
    /// Whether nothing was moved, since the same was there.
    pub is_skipped: bool,
    /// Whether the source was removed; null where that was not asked for.
    #[schema(required)]
    pub source_removed: Option<bool>,
    /// Tries that it took.
    pub attempts: u32,
    /// Whose rights it ran with.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub created_by: PrincipalId,
    /// The policy decision that admitted it.
    #[schema(value_type = Option<String>, required)]
    pub decision_id: Option<DecisionId>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// When it first ran.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub finished_at: Option<Timestamp>,
}

/// How the files of a transfer of many stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptFiles {
    /// All.
    pub total: u64,
    /// Files that arrived.
    pub done: u64,
    /// Files that did not need to move.
    pub skipped: u64,
    /// Files that did not arrive.
    pub failed: u64,
}
