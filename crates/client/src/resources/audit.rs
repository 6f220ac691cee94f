use bailee_api::{AuditCheckpoint, AuditRecord, AuditVerification};
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
