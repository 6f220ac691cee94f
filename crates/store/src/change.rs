use bailee_auth::{Permit, RequestMark};
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
    /// Of a marked request that has not said yet what it makes.
    untold: Option<RequestMark>,
}

impl Change {
    pub(crate) fn new(db: Db, tenant: TenantId) -> Self {
        Self {
            db,
            tenant,
            script: Script::tenant(tenant),
            untold: None,
        }
    }

    /// The work of the request that has the permit.
    pub(crate) fn marked(db: Db, permit: &Permit) -> Self {
        Self {
            untold: permit.mark().cloned(),
            ..Self::new(db, permit.tenant())
        }
    }

    /// Whether its request is marked, and it has not said yet what it makes.
    pub fn is_marked(&self) -> bool {
        self.untold.is_some()
    }

    /// The mark, once: it is told of now.
    pub(crate) fn told(&mut self) -> Option<RequestMark> {
        self.untold.take()
    }

    /// Both changes as one transaction, also where they are about the rows of two tenants.
    pub fn and(mut self, other: Self) -> Self {
        self.untold = self.untold.or(other.untold);
        self.script.append(other.script);
        self
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

    /// As [`Change::add`], before all that was added.
    pub(crate) fn add_first(
        &mut self,
        sql: Sql,
        mut values: Vec<Value>,
        guard: Guard,
        conflict: &'static str,
    ) -> &mut Self {
        values.insert(0, Value::text(self.tenant));
        self.script.push_first(sql, values, guard, conflict);
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
        let (db, script) = self.whole()?;
        db.run(script).await.map(drop)
    }

    /// As [`Change::commit`], but returns when the change has survived the end of this process, not yet a power
    /// failure: for entries about reads, where nothing is acknowledged that could be lost.
    pub async fn commit_logged(mut self) -> Result<(), DbError> {
        self.script.durability(Durability::Logged);
        let (db, script) = self.whole()?;
        db.run(script).await.map(drop)
    }

    /// The script, unless the mark of its request would be left without a word: a crash could then do the work twice.
    fn whole(self) -> Result<(Db, Script), DbError> {
        match self.untold {
            None => Ok((self.db, self.script)),
            Some(mark) => Err(DbError::Untold { route: mark.route }),
        }
    }
}
