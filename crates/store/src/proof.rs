//! What proofs about a journal are made of: leaves, and the roots of its perfect subtrees.

use crate::rows::statements;
use crate::{DbError, Reader, Value, values};

statements! {
    PUT: tenant = "INSERT INTO journal_node (tenant_id, level, ordinal, hash) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    NODE: tenant = "SELECT hash FROM journal_node WHERE tenant_id = $1 AND level = $2 AND ordinal = $3";
    LEAVES: tenant = "SELECT leaf FROM journal WHERE tenant_id = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence";
}

pub(crate) const INSERT_NODE: crate::Sql = PUT;

/// A perfect subtree of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalNode {
    /// It has two to this power leaves.
    pub level: u32,
    /// Its place among those of its level.
    pub ordinal: u64,
    /// Its root, lower-case hex.
    pub hash: String,
}

impl JournalNode {
    pub(crate) fn row(&self, tenant: &Value) -> Vec<Value> {
        values![
            tenant.clone(),
            i64::from(self.level),
            self.ordinal,
            &self.hash
        ]
    }
}

impl Reader {
    /// The root of a perfect subtree, if it is kept.
    pub async fn journal_node(&self, level: u32, ordinal: u64) -> Result<Option<String>, DbError> {
        let row = self.row(NODE, values![i64::from(level), ordinal]).await?;
        row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
    }

    /// The leaf hashes of the entries after a sequence and up to another.
    pub async fn journal_leaves(&self, after: u64, up_to: u64) -> Result<Vec<String>, DbError> {
        let rows = self.rows(LEAVES, values![after, up_to]).await?;
        rows.iter()
            .map(|row| Ok(row.opt_text(0)?.unwrap_or_default().to_owned()))
            .collect()
    }
}
