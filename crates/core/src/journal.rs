//! How entries are made: always from a caller or from Bailee itself, with time and id from the core.

use bailee_auth::{Caller, Permit, Via};
use bailee_model::{AuditId, Entry, EntryKind, EventType, FlowRunId, Outcome, Subject, TransferId};

use crate::Core;

/// What an entry says beside who and when.
pub(crate) struct Note {
    pub(crate) operation: &'static str,
    pub(crate) kind: EntryKind,
    pub(crate) status: Outcome,
    pub(crate) subject: Subject,
    pub(crate) transfer: Option<TransferId>,
    pub(crate) data: serde_json::Value,
}

impl Note {
    /// A record that something was done.
    pub(crate) fn record(operation: &'static str) -> Self {
        Self {
            operation,
            kind: EntryKind::Record,
            status: Outcome::Success,
            subject: Subject::default(),
            transfer: None,
            data: serde_json::json!({}),
        }
    }

    /// A record that is also an event.
    pub(crate) fn event(operation: &'static str, event: EventType) -> Self {
        Self {
            kind: EntryKind::Event(event),
            ..Self::record(operation)
        }
    }

    pub(crate) fn about(mut self, id: impl std::fmt::Display) -> Self {
        self.subject.id = Some(id.to_string());
        self
    }

    pub(crate) fn at(mut self, path: impl std::fmt::Display) -> Self {
        self.subject.path = Some(path.to_string());
        self
    }

    pub(crate) fn of_transfer(mut self, id: TransferId) -> Self {
        self.transfer = Some(id);
        self.about(id)
    }

    pub(crate) fn ended(mut self, status: Outcome) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with(mut self, data: serde_json::Value) -> Self {
        self.data = data;
        self
    }
}

fn with_run(data: &str, run: FlowRunId) -> String {
    let mut data: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
    if let Some(object) = data.as_object_mut() {
        object.insert("flow_run_id".to_owned(), serde_json::json!(run));
    }
    data.to_string()
}

impl Core {
    /// The entry of something a caller did.
    pub(crate) fn entry(&self, caller: &Caller, note: Note) -> Entry {
        let facts = caller.facts();
        let mut entry = self.own_entry(note);
        // Core's use cases are fewer than the operations of the API, which auditors know.
        if let Some(operation) = caller.operation() {
            operation.clone_into(&mut entry.operation);
        }
        caller.label().clone_into(&mut entry.user);
        entry.ip_address = facts.address.map(|address| address.to_canonical());
        entry.principal = Some(caller.principal());
        entry.request = Some(facts.request);
        // What a transfer reads and writes in Bailee is found by its id.
        if let Via::Transfer(transfer) = *caller.via() {
            entry.transfer = Some(transfer);
        }
        // And what a run of a flow does, by the run's.
        if let Via::Flow { run, .. } = *caller.via() {
            entry.data = with_run(&entry.data, run);
        }
        entry
    }

    /// The entry of something a permit allowed; names the decision.
    pub(crate) fn permitted(&self, caller: &Caller, permit: &Permit, note: Note) -> Entry {
        Entry {
            decision: Some(permit.decision()),
            ..self.entry(caller, note)
        }
    }

    /// The entry of something that Bailee did by itself.
    pub(crate) fn own_entry(&self, note: Note) -> Entry {
        let now = self.clock.now();
        Entry {
            id: AuditId::new(now, &*self.chance),
            kind: note.kind,
            timestamp: now,
            operation: note.operation.to_owned(),
            user: "bailee".to_owned(),
            status: note.status,
            ip_address: None,
            transfer: note.transfer,
            principal: None,
            request: None,
            decision: None,
            subject: note.subject,
            data: note.data.to_string(),
        }
    }
}
