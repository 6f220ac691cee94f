use std::collections::BTreeMap;

use bailee_api::{AuditCheckpoint, AuditRecord};
use bailee_model::{Error, SealedEntry, TenantId, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// An entry as audit record.
pub(super) fn record(tenant: TenantId, sealed: &SealedEntry) -> AuditRecord {
    let entry = &sealed.entry;
    let data = serde_json::from_str::<Value>(&entry.data).ok();
    let facts = [
        ("kind", Some(Value::from(entry.kind.as_str()))),
        ("subject_id", entry.subject.id.clone().map(Value::from)),
        ("path", entry.subject.path.clone().map(Value::from)),
        ("data", data.filter(|data| !data.is_null())),
    ];
    let facts: BTreeMap<String, Value> = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    AuditRecord {
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
        facts,
    }
}

/// A signed checkpoint as clients see it: the note itself, and what its first lines say.
pub(super) fn checkpoint(
    (tree_size, note, signed_at): (u64, String, Timestamp),
) -> AuditCheckpoint {
    let mut lines = note.lines();
    let origin = lines.next().unwrap_or_default().to_owned();
    let root = lines.nth(1).unwrap_or_default();
    let root = STANDARD.decode(root).map(hex::encode).unwrap_or_default();
    AuditCheckpoint {
        origin,
        tree_size,
        root,
        signed_at,
        note,
    }
}

/// There is none of this size, or none at all yet.
pub(super) fn no_checkpoint() -> Error {
    Error::not_found("checkpoint")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_says_what_its_note_says() {
        let note = format!(
            "bailee/ten_x\n12\n{}\n\n— bailee AAAA\n",
            STANDARD.encode([3u8; 32])
        );
        let read = checkpoint((12, note.clone(), Timestamp::from_ms(0)));
        assert_eq!(read.origin, "bailee/ten_x");
        assert_eq!(read.root, "03".repeat(32));
        assert_eq!(read.note, note);
    }
}
