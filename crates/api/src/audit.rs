//! Audit: who did what, provably.

use std::collections::BTreeMap;

use bailee_model::{
    AuditId, DecisionId, PrincipalId, RequestId, SealedEntry, TenantId, Timestamp, TransferId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::List;
use crate::word::{words, words_from};

words! {
    /// Whether the operation went through.
    AuditStatus {
        /// It did.
        Success = "success",
        /// It was refused.
        Denied = "denied",
        /// It failed.
        Error = "error",
    }
}
words_from!(bailee_model::Outcome => AuditStatus { Success, Denied, Error });

/// One line of the tenant's journal, read as audit record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "timestamp": "2026-11-21T09:14:03.512Z", "transfer_id": "xfr_01m7yp4kyae4ma4jz41b93y214", "operation": "transfers.complete",
    "user": "svc:nightly", "status": "success", "ip_address": "192.0.2.10", "audit_id": "aud_01m7yp4nesedqrb018tr4sjm6r",
    "sequence": 8123, "tenant_id": "ten_01m7yp4qfdf46bs8r42wfv2z13", "principal_id": "svc_01m7yp4pz8ev5b9ts55c7j3qdp",
    "request_id": "req_01m7yp4sg1e35rw9hmckwyqppc", "decision_id": null
}))]
pub struct AuditRecord {
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub timestamp: Timestamp,
    /// The transfer, if one is meant.
    #[schema(value_type = Option<String>, example = "xfr_01m7yp4kyae4ma4jz41b93y214", required)]
    pub transfer_id: Option<TransferId>,
    /// Which operation: `files.upload`, `transfers.complete`.
    #[schema(example = "transfers.complete")]
    pub operation: String,
    /// Who, by label: `svc:nightly`, `usr:ann`; `anonymous` when nobody was recognised.
    #[schema(example = "svc:nightly")]
    pub user: String,
    /// Whether it went through.
    pub status: AuditStatus,
    /// From where; null for Bailee's own work.
    #[schema(required)]
    pub ip_address: Option<String>,
    /// Names the record.
    #[schema(value_type = String, example = "aud_01m7yp4nesedqrb018tr4sjm6r")]
    pub audit_id: AuditId,
    /// Its place in the tenant's journal, from 1, without a gap.
    pub sequence: u64,
    /// Whose journal.
    #[schema(value_type = String, example = "ten_01m7yp4qfdf46bs8r42wfv2z13")]
    pub tenant_id: TenantId,
    /// Who, by id.
    #[schema(value_type = Option<String>, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp", required)]
    pub principal_id: Option<PrincipalId>,
    /// The request.
    #[schema(value_type = Option<String>, example = "req_01m7yp4sg1e35rw9hmckwyqppc", required)]
    pub request_id: Option<RequestId>,
    /// The policy decision.
    #[schema(value_type = Option<String>, example = "dec_01m7yp4sg1e35rw9hmckwyqppc", required)]
    pub decision_id: Option<DecisionId>,
    /// Further keys: `kind` (the event's type or `record`), `subject_id`, `path` and `data`, where the record has them.
    #[serde(flatten)]
    #[schema(value_type = BTreeMap<String, Value>)]
    pub facts: BTreeMap<String, serde_json::Value>,
}

impl AuditRecord {
    /// The record that a sealed entry of `tenant`'s journal is to auditors.
    pub fn new(tenant: TenantId, sealed: &SealedEntry) -> Self {
        let entry = &sealed.entry;
        let data = serde_json::from_str(&entry.data)
            .unwrap_or_else(|_| serde_json::Value::from(entry.data.as_str()));
        let facts = [
            ("kind", Some(entry.kind.as_str().into())),
            ("subject_id", entry.subject.id.clone().map(Into::into)),
            ("path", entry.subject.path.clone().map(Into::into)),
            ("data", Some(data)),
        ];
        Self {
            timestamp: entry.timestamp,
            transfer_id: entry.transfer,
            operation: entry.operation.clone(),
            user: entry.user.clone(),
            status: entry.status.into(),
            ip_address: entry.ip_address.map(|address| address.to_string()),
            audit_id: entry.id,
            sequence: sealed.sequence,
            tenant_id: tenant,
            principal_id: entry.principal,
            request_id: entry.request,
            decision_id: entry.decision,
            facts: facts
                .into_iter()
                .filter_map(|(name, fact)| Some((name.to_owned(), fact?)))
                .collect(),
        }
    }
}

/// A page of audit records.
pub type AuditRecordList = List<AuditRecord>;

/// A signed statement of a journal's size and root (RFC 6962 tree; C2SP signed note).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditCheckpoint {
    /// Which journal: the first line of the note.
    pub origin: String,
    /// Records covered.
    pub tree_size: u64,
    /// Root hash of the Merkle tree, lower-case hex SHA-256.
    pub root: String,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub signed_at: Timestamp,
    /// The whole note with its Ed25519 signature lines, as verifiers read it.
    pub note: String,
}

/// A page of checkpoints.
pub type AuditCheckpointList = List<AuditCheckpoint>;

/// The proof that a record is in the journal: `GET /audit/{audit_id}/proof`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditProof {
    /// The record.
    #[schema(value_type = String, example = "aud_01m7yp4nesedqrb018tr4sjm6r")]
    pub audit_id: AuditId,
    /// Its place in the journal, from 1.
    pub sequence: u64,
    /// The values that its leaf hashes, by name; see the guide on audit.
    pub entry: BTreeMap<String, Option<String>>,
    /// The hash of the leaf, lower-case hex SHA-256.
    pub leaf_hash: String,
    /// Size of the tree that the proof leads to.
    pub tree_size: u64,
    /// Its root, lower-case hex SHA-256.
    pub root: String,
    /// The proof of RFC 6962 from the leaf up, lower-case hex.
    pub proof: Vec<String>,
    /// The signed checkpoint of that tree.
    pub checkpoint: String,
}

/// The proof that a journal continues itself: `GET /audit/consistency`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditConsistency {
    /// Size of the earlier tree.
    pub from: u64,
    /// Size of the later one.
    pub to: u64,
    /// The proof of RFC 6962, lower-case hex.
    pub proof: Vec<String>,
    /// The signed checkpoint of the earlier tree.
    pub from_checkpoint: String,
    /// That of the later one.
    pub to_checkpoint: String,
}

/// Answer to `POST /audit/verify`: the journal was walked and every hash computed anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditVerification {
    /// Whether everything fits.
    pub ok: bool,
    /// Records read.
    pub records: u64,
    /// Size of the tree they make.
    pub tree_size: u64,
    /// Its root, lower-case hex SHA-256.
    pub root: String,
    /// The first record that does not fit; null when all do.
    #[schema(required)]
    pub first_bad: Option<AuditFault>,
    /// The newest checkpoint compared with; null when none is signed yet.
    #[schema(required)]
    pub checkpoint: Option<AuditCheckpoint>,
}

/// A place where a journal does not fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditFault {
    /// The record's place.
    pub sequence: u64,
    /// What does not fit, in plain words.
    pub reason: String,
}

/// A public key that verifies checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditKey {
    /// Name of the key, as in the signature line.
    pub name: String,
    /// Always `ed25519` (RFC 8032).
    #[schema(example = "ed25519")]
    pub algorithm: String,
    /// The verifier key text of the signed-note format: `name+id+base64`.
    pub verifier: String,
}

/// Answer to `GET /audit/keys`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditKeys {
    /// The keys, newest first.
    pub data: Vec<AuditKey>,
}
