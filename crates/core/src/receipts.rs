//! Receipts: what was handed over, to where and when, signed and proven to stand in the journal.
//!
//! A receipt is one JSON document in its canonical form, so that any changed byte is seen. Its facts are those of the
//! journal's entry of the transfer's end; the entry is proven to be in the tree of a signed checkpoint, and all of it is
//! signed with the key of the checkpoints. Whoever has that key needs nothing else, neither network nor this server.

use bailee_auth::{Action, Caller};
use bailee_model::{
    CopyProof, Error, ErrorKind, PageRequest, Result, SealedEntry, TenantId, Transfer, TransferId,
    TransferOutcome, TransferState, canonical,
};
use bailee_store::AuditFilter;
use serde_json::{Map, Value, json};

use crate::proofs::InclusionProof;
use crate::transfers::Transfers;
use crate::{Core, error};

/// Name and version of the form. FORMAT: whatever changes here needs another.
const RECEIPT_FORMAT: &str = "bailee-receipt-v1";

impl Transfers<'_> {
    /// The receipt of a transfer that arrived, as the text that was signed. Of one of many files it is about all of them
    /// together; each file, being a transfer, has its own.
    pub async fn receipt(&self, caller: &Caller, id: TransferId) -> Result<String> {
        let (_, transfer) = self
            .find(caller, "transfers.receipt", Action::TransferRead, id)
            .await?;
        let has_arrived = matches!(
            transfer.outcome,
            Some(TransferOutcome::Succeeded | TransferOutcome::Partial)
        );
        if !has_arrived {
            let detail = if transfer.state == TransferState::Failed {
                "The transfer failed: there is nothing to give a receipt of."
            } else {
                "The transfer has not ended: there is nothing yet to give a receipt of."
            };
            return Err(Error::new(ErrorKind::StateConflict, detail));
        }
        self.core.receipt_of(caller.tenant(), &transfer).await
    }
}

impl Core {
    async fn receipt_of(&self, tenant: TenantId, transfer: &Transfer) -> Result<String> {
        let reader = self.store.identity().reader(tenant);
        let entry = self.entry_of_end(tenant, transfer).await?;
        let proof = self.prove(&reader, entry, None).await?;
        let mut document = Map::new();
        for (name, value) in [
            ("format", RECEIPT_FORMAT.into()),
            ("receipt", facts(tenant, transfer)),
            ("entry", entry_values(tenant, &proof)),
            ("sequence", proof.entry.sequence.into()),
            ("proof", hashes(&proof)),
            ("checkpoint", proof.checkpoint.clone().into()),
            ("key", self.signer.verifier().into()),
        ] {
            document.insert(name.to_owned(), value);
        }
        let unsigned = canonical(&Value::Object(document.clone()));
        let signature = self
            .signer
            .sign_text(&format!("{RECEIPT_FORMAT}\n{unsigned}"));
        document.insert("signature".to_owned(), signature.into());
        Ok(canonical(&Value::Object(document)))
    }

    /// The sealed entry of a transfer's end.
    async fn entry_of_end(&self, tenant: TenantId, transfer: &Transfer) -> Result<SealedEntry> {
        let found = match transfer.ended_entry {
            Some(id) => self.sealed(tenant, id).await?,
            None => self.old_entry_of_end(tenant, transfer).await?,
        };
        found.ok_or_else(|| {
            let detail = "The journal's entry of its end is being sealed; ask again in a moment.";
            Error::new(ErrorKind::Unavailable, detail).retry_after(1)
        })
    }

    /// Of a transfer that ended before its row kept the entry.
    async fn old_entry_of_end(
        &self,
        tenant: TenantId,
        transfer: &Transfer,
    ) -> Result<Option<SealedEntry>> {
        let operation = match (transfer.parent, transfer.state) {
            (Some(_), _) => "transfers.file",
            (None, TransferState::Completed) => "transfers.complete",
            (None, _) => "transfers.fail",
        };
        let filter = AuditFilter {
            operation: Some(operation.to_owned()),
            transfer: Some(transfer.parent.unwrap_or(transfer.id)),
            subject: Some(transfer.id.to_string()),
            ..AuditFilter::default()
        };
        let one = PageRequest {
            limit: 1,
            after: None,
        };
        let reader = self.store.identity().reader(tenant);
        let found = reader.audit(&filter, &one).await;
        Ok(found.map_err(error::from_db)?.data.pop())
    }
}

fn facts(tenant: TenantId, transfer: &Transfer) -> Value {
    let counts = transfer.counts.map(|counts| {
        json!({
            "total": counts.files_total,
            "done": counts.files_done,
            "skipped": counts.files_skipped,
            "failed": counts.files_failed,
        })
    });
    json!({
        "tenant_id": tenant,
        "transfer_id": transfer.id,
        "parent": transfer.parent,
        "outcome": transfer.outcome.map(TransferOutcome::as_str),
        "source": transfer.source.to_string(),
        "destination": transfer.destination.to_string(),
        "placed_at": transfer.placed_at,
        "file_id": transfer.result_file,
        "files": counts,
        "size": transfer.counts.map_or(transfer.bytes_total, |counts| Some(counts.bytes_done)),
        "hash": transfer.hash,
        "hash_algorithm": "sha-256",
        "verified_by": transfer.proof.map(CopyProof::as_str),
        "is_skipped": transfer.is_skipped,
        "source_removed": transfer.source_removed,
        "attempts": transfer.attempt,
        "created_by": transfer.created_by,
        "decision_id": transfer.decision,
        "created_at": transfer.created_at,
        "started_at": transfer.started_at,
        "finished_at": transfer.finished_at,
    })
}

fn entry_values(tenant: TenantId, proof: &InclusionProof) -> Value {
    let values = proof.entry.entry.leaf_values(tenant);
    let members = values.map(|(name, value)| (name.to_owned(), value.into()));
    Value::Object(members.into_iter().collect())
}

fn hashes(proof: &InclusionProof) -> Value {
    proof
        .path
        .iter()
        .map(hex::encode)
        .collect::<Vec<_>>()
        .into()
}
