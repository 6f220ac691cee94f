use bailee_api::{
    AuditCheckpoint, AuditConsistency, AuditKeys, AuditProof, AuditRecord, AuditVerification,
};
use bailee_model::{AuditId, Timestamp, TransferId};

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Audit: who did what, provably.
    Audit, audit
}

/// Which records a search finds. Everything when nothing is set.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// `files.upload`, `transfers.complete`, …
    pub operation: Option<String>,
    /// Who, by label: `svc:nightly`.
    pub user: Option<String>,
    /// `success`, `denied`, `error`.
    pub status: Option<String>,
    /// About this transfer.
    pub transfer_id: Option<TransferId>,
    /// From this address.
    pub ip_address: Option<String>,
    /// About things below this path.
    pub path_prefix: Option<String>,
    /// Of this request.
    pub request_id: Option<String>,
    /// Not before.
    pub created_after: Option<Timestamp>,
    /// Before.
    pub created_before: Option<Timestamp>,
}

/// An export on its way.
pub struct ExportStream(crate::transport::Opened);

impl ExportStream {
    /// The next bytes; none at the end.
    pub async fn more(&mut self) -> Result<Option<bytes::Bytes>> {
        self.0.chunk().await
    }
}

impl Audit<'_> {
    /// Records, newest first.
    pub fn search(&self, query: &AuditQuery) -> Listing<AuditRecord> {
        let call = Call::get("/audit")
            .maybe("operation", query.operation.as_ref())
            .maybe("user", query.user.as_ref())
            .maybe("status", query.status.as_ref())
            .maybe("transfer_id", query.transfer_id)
            .maybe("ip_address", query.ip_address.as_ref())
            .maybe("path_prefix", query.path_prefix.as_ref())
            .maybe("request_id", query.request_id.as_ref())
            .maybe("created_after", query.created_after)
            .maybe("created_before", query.created_before);
        Listing::new(self.0, call)
    }

    /// One record.
    pub async fn get(&self, record: AuditId) -> Result<AuditRecord> {
        self.0.json(Call::get(format!("/audit/{record}"))).await
    }

    /// The proof that a record is in the journal: of the tree of a signed checkpoint, or of the newest.
    pub async fn proof(&self, record: AuditId, tree_size: Option<u64>) -> Result<AuditProof> {
        let call = Call::get(format!("/audit/{record}/proof")).maybe("tree_size", tree_size);
        self.0.json(call).await
    }

    /// The proof that the journal of one checkpoint continues that of another; of the oldest and to the newest, when none
    /// is named.
    pub async fn consistency(
        &self,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<AuditConsistency> {
        let call = Call::get("/audit/consistency")
            .maybe("from", from)
            .maybe("to", to);
        self.0.json(call).await
    }

    /// The records behind a sequence as a stream: `jsonl`, which [`crate::ExportVerifier`] verifies, or `csv`.
    pub async fn export(&self, format: &str, after: Option<u64>) -> Result<ExportStream> {
        let call = Call::get("/audit/export")
            .query("format", format)
            .maybe("after", after);
        Ok(ExportStream(self.0.open(call).await?))
    }

    /// The public keys that verify checkpoints and receipts.
    pub async fn keys(&self) -> Result<AuditKeys> {
        self.0.json(Call::get("/audit/keys")).await
    }

    /// Has the server walk the whole chain now.
    pub async fn verify(&self) -> Result<AuditVerification> {
        self.0.json(Call::post("/audit/verify")).await
    }

    /// Signed checkpoints, newest first.
    pub fn checkpoints(&self) -> Listing<AuditCheckpoint> {
        Listing::new(self.0, Call::get("/audit/checkpoints"))
    }

    /// The newest of them.
    pub async fn latest_checkpoint(&self) -> Result<AuditCheckpoint> {
        self.0.json(Call::get("/audit/checkpoints/latest")).await
    }
}
