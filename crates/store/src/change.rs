use bailee_model::TenantId;

use crate::{Db, DbError, Durability, Guard, Script, Sql, Value};

/// An open change: statements collected for one tenant, run as one transaction by [`Change::commit`].
///
/// The verbs of each noun stand in the noun's file. A verb that carries a guard names the conflict that it answers
/// with; the caller then reads again and decides again.
#[must_use = "nothing is written before commit()"]
pub struct Change {
    db: Db,
    tenant: TenantId,
    script: Script,
}

impl Change {
    pub(crate) fn new(db: Db, tenant: TenantId) -> Self {
        Self {
            db,
            tenant,
            script: Script::tenant(tenant),
        }
    }

    /// The tenant whose rows this changes.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Adds a statement; the tenant is bound as `$1`, `values` follow.
    pub(crate) fn add(
        &mut self,
        sql: Sql,
        mut values: Vec<Value>,
        guard: Guard,
        conflict: &'static str,
    ) -> &mut Self {
        values.insert(0, Value::text(self.tenant));
        self.script.push(sql, values, guard, conflict);
        self
    }

    /// Adds a statement about rows that are no tenant's; nothing is bound before `values`.
    pub(crate) fn add_across(
        &mut self,
        sql: Sql,
        values: Vec<Value>,
        guard: Guard,
        conflict: &'static str,
    ) -> &mut Self {
        self.script.push(sql, values, guard, conflict);
        self
    }

    /// Runs everything as one transaction and returns when it is durable. [`DbError::Conflict`] names the guard that
    /// failed; then nothing was changed.
    pub async fn commit(self) -> Result<(), DbError> {
        self.db.run(self.script).await.map(drop)
    }

    /// As [`Change::commit`], but returns when the change has survived the end of this process, not yet a power
    /// failure: for entries about reads, where nothing is acknowledged that could be lost.
    pub async fn commit_logged(mut self) -> Result<(), DbError> {
        self.script.durability(Durability::Logged);
        self.db.run(self.script).await.map(drop)
    }
}
