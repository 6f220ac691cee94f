//! Verifying an export of the journal, offline: line by line, in bounded memory.

use bailee_model::{LEAF_NAMES, leaf_bytes};
use serde_json::Value;

use crate::checkpoint_note::VerifierKey;
use crate::merkle::{Hash, Tree, leaf_hash};

/// Name and version of the form.
const EXPORT_FORMAT: &str = "bailee-audit-export-v1";

/// The first thing in an export that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at record {sequence}: {reason}")]
pub struct ExportFault {
    /// The record at which, or before which, something was changed.
    pub sequence: u64,
    /// What does not fit.
    pub reason: String,
}

/// An export that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodExport {
    /// Whose journal.
    pub tenant_id: String,
    /// The sequence before its first record.
    pub after: u64,
    /// The sequence of its last.
    pub last: u64,
    /// Checkpoints that it was compared with.
    pub checkpoints: u64,
}

/// A verification that takes line by line.
pub struct ExportVerifier {
    trusted: VerifierKey,
    head: Option<Head>,
    tree: Tree,
    /// The size of the tree of the last good checkpoint.
    proven: u64,
    checkpoints: u64,
}

struct Head {
    tenant_id: String,
    after: u64,
    last: u64,
}

impl ExportVerifier {
    /// For an export that leads to checkpoints of this key.
    pub fn new(trusted: VerifierKey) -> Self {
        Self {
            trusted,
            head: None,
            tree: Tree::default(),
            proven: 0,
            checkpoints: 0,
        }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: &str) -> Result<(), ExportFault> {
        let value: Value = serde_json::from_str(line)
            .map_err(|_| self.blame("a line is no JSON: the export was cut or changed"))?;
        if self.head.is_none() {
            return self.begin(&value);
        }
        match value.get("checkpoint").and_then(Value::as_str) {
            Some(note) => self.compare(note),
            None => self.append(&value),
        }
    }

    /// What was verified, at the end of the export.
    pub fn finish(self) -> Result<GoodExport, ExportFault> {
        let Some(head) = &self.head else {
            return Err(self.blame("the export is empty"));
        };
        if self.tree.size() < head.last {
            return Err(self.blame("the export was cut: it ends before its last record"));
        }
        if self.proven < self.tree.size() || self.checkpoints == 0 {
            return Err(self.blame("the export was cut: its last checkpoint is missing"));
        }
        Ok(GoodExport {
            tenant_id: head.tenant_id.clone(),
            after: head.after,
            last: head.last,
            checkpoints: self.checkpoints,
        })
    }

    fn begin(&mut self, value: &Value) -> Result<(), ExportFault> {
        if value.get("format").and_then(Value::as_str) != Some(EXPORT_FORMAT) {
            return Err(self.blame("this is no export of a format that is known"));
        }
        let number = |name: &str| value.get(name).and_then(Value::as_u64);
        let tenant_id = value.get("tenant_id").and_then(Value::as_str);
        let frontier = value.get("frontier").and_then(Value::as_array);
        let frontier: Option<Vec<Hash>> =
            frontier.and_then(|roots| roots.iter().map(hash_of).collect());
        let (Some(tenant_id), Some(after), Some(last), Some(frontier)) =
            (tenant_id, number("after"), number("last"), frontier)
        else {
            return Err(self.blame("the first line is not whole"));
        };
        self.tree = Tree::of(after, frontier)
            .ok_or_else(|| self.blame("what comes before the export does not fit its size"))?;
        self.head = Some(Head {
            tenant_id: tenant_id.to_owned(),
            after,
            last,
        });
        Ok(())
    }

    fn append(&mut self, value: &Value) -> Result<(), ExportFault> {
        let expected = self.tree.size() + 1;
        if value.get("sequence").and_then(Value::as_u64) != Some(expected) {
            return Err(self.blame("a record was deleted, inserted or moved"));
        }
        let entry = value.get("entry").and_then(Value::as_object);
        let entry = entry.filter(|entry| entry.len() == LEAF_NAMES.len());
        let entry = entry.ok_or_else(|| self.blame("a record is not whole"))?;
        let mut values = Vec::with_capacity(LEAF_NAMES.len());
        for name in LEAF_NAMES {
            values.push(match entry.get(name) {
                Some(Value::String(text)) => Some(text.as_str()),
                Some(Value::Null) => None,
                _ => return Err(self.blame("a record is not whole")),
            });
        }
        let tenant = self.head.as_ref().map(|head| head.tenant_id.as_str());
        if values.first().copied().flatten() != tenant {
            return Err(self.blame("a record is of another journal"));
        }
        let leaf = leaf_hash(&leaf_bytes(values));
        if value.get("leaf_hash").and_then(hash_of) != Some(leaf) {
            return Err(self.blame("a record was edited or swapped"));
        }
        self.tree.append(leaf);
        Ok(())
    }

    fn compare(&mut self, note: &str) -> Result<(), ExportFault> {
        let signed = self
            .trusted
            .open(note)
            .map_err(|why| self.blame(&format!("a checkpoint is not good: {why}")))?;
        let tenant = self.head.as_ref().map_or("", |head| &head.tenant_id);
        if signed.origin != format!("bailee/{tenant}") {
            return Err(self.blame("a checkpoint is of another journal"));
        }
        if signed.tree_size != self.tree.size() {
            return Err(self.blame("records before a checkpoint are missing, or there are more"));
        }
        if signed.root != self.tree.root() {
            let reason = format!(
                "records from {} to {} differ from the signed checkpoint",
                self.proven + 1,
                signed.tree_size
            );
            return Err(ExportFault {
                sequence: self.proven + 1,
                reason,
            });
        }
        self.proven = signed.tree_size;
        self.checkpoints += 1;
        Ok(())
    }

    fn blame(&self, reason: &str) -> ExportFault {
        ExportFault {
            sequence: self.tree.size() + 1,
            reason: reason.to_owned(),
        }
    }
}

fn hash_of(value: &Value) -> Option<Hash> {
    hex::decode(value.as_str()?).ok()?.try_into().ok()
}
