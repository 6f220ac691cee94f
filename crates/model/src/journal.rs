use std::net::IpAddr;

use crate::{
    AuditId, DecisionId, EventId, EventType, PrincipalId, RequestId, TenantId, Timestamp,
    TransferId,
};

/// Whether the operation that an entry tells of went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did.
    Success,
    /// It was refused.
    Denied,
    /// It failed.
    Error,
}

impl Outcome {
    /// The word in the entry's `status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Error => "error",
        }
    }
}

/// What an entry tells: an event that is published, or a plain record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Also an event of this type.
    Event(EventType),
    /// Only for auditors.
    Record,
}

impl EntryKind {
    /// The kind as stored: the event's type, or `record`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.as_str(),
            Self::Record => "record",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "record" {
            Some(Self::Record)
        } else {
            text.parse().ok().map(Self::Event)
        }
    }
}

/// What an entry is about, so that it can be found: a kind of thing and its id, and a path where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The id of the thing.
    pub id: Option<String>,
    /// Its path in Bailee.
    pub path: Option<String>,
}

/// One line of a tenant's journal. Exactly these values are stored, and exactly they are hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Read as audit record; the event of the same entry shares the bits.
    pub id: AuditId,
    /// What it tells.
    pub kind: EntryKind,
    /// When.
    pub timestamp: Timestamp,
    /// Which operation: `files.upload`, `transfers.complete`.
    pub operation: String,
    /// Who, by label: `svc:nightly`; `anonymous` when nobody was recognised.
    pub user: String,
    /// How it ended.
    pub status: Outcome,
    /// From where; `None` for Bailee's own work.
    pub ip_address: Option<IpAddr>,
    /// The transfer, if one is meant.
    pub transfer: Option<TransferId>,
    /// Who, by id.
    pub principal: Option<PrincipalId>,
    /// The request.
    pub request: Option<RequestId>,
    /// The policy decision.
    pub decision: Option<DecisionId>,
    /// What it is about.
    pub subject: Subject,
    /// Further facts, as JSON text.
    pub data: String,
}

impl Entry {
    /// The event side of this entry.
    pub const fn event_id(&self) -> EventId {
        EventId::from_bits(self.id.bits())
    }

    /// The values that the Merkle leaf hashes, each under the name that exports and receipts give it. The tenant comes
    /// first, so that an entry cannot be moved between journals. FORMAT: changing anything here breaks every existing
    /// journal.
    pub fn leaf_values(&self, tenant: TenantId) -> [(&'static str, Option<String>); 15] {
        [
            ("tenant_id", Some(tenant.to_string())),
            ("audit_id", Some(self.id.to_string())),
            ("kind", Some(self.kind.as_str().to_owned())),
            ("timestamp_ms", Some(self.timestamp.ms().to_string())),
            ("operation", Some(self.operation.clone())),
            ("user", Some(self.user.clone())),
            ("status", Some(self.status.as_str().to_owned())),
            ("ip_address", self.ip_address.map(|ip| ip.to_string())),
            ("transfer_id", self.transfer.map(|id| id.to_string())),
            ("principal_id", self.principal.map(|id| id.to_string())),
            ("request_id", self.request.map(|id| id.to_string())),
            ("decision_id", self.decision.map(|id| id.to_string())),
            ("subject_id", self.subject.id.clone()),
            ("subject_path", self.subject.path.clone()),
            ("data", Some(self.data.clone())),
        ]
    }

    /// The bytes that the Merkle leaf hashes.
    pub fn leaf_bytes(&self, tenant: TenantId) -> Vec<u8> {
        let values = self.leaf_values(tenant);
        leaf_bytes(values.iter().map(|(_, value)| value.as_deref()))
    }
}

/// The bytes that a Merkle leaf hashes, format version 1: each value in its order, as text, behind its length (u32, big
/// endian; `u32::MAX` for an absent one). FORMAT: changing anything here breaks every existing journal.
pub fn leaf_bytes<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Vec<u8> {
    let mut out = vec![1];
    for value in values {
        match value {
            Some(text) => {
                out.extend_from_slice(&(text.len() as u32).to_be_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            None => out.extend_from_slice(&u32::MAX.to_be_bytes()),
        }
    }
    out
}

/// The names of the values of a leaf, in their order.
pub const LEAF_NAMES: [&str; 15] = [
    "tenant_id",
    "audit_id",
    "kind",
    "timestamp_ms",
    "operation",
    "user",
    "status",
    "ip_address",
    "transfer_id",
    "principal_id",
    "request_id",
    "decision_id",
    "subject_id",
    "subject_path",
    "data",
];

/// An entry with its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEntry {
    /// From 1, without a gap.
    pub sequence: u64,
    /// The entry.
    pub entry: Entry,
}
