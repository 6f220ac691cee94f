use bailee_model::TenantId;

use super::limit::SCRIPT_STATEMENTS_MAX;
use super::{DbError, Sql, Value};

/// Whose rows a script or fetch may see. On PostgreSQL the row-level policies hold every statement to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The rows of one tenant.
    Tenant(TenantId),
    /// The rows of all tenants: identity look-ups, job leases.
    Across,
}

impl Scope {
    /// Refuses a tenant statement whose `$1` is not the tenant of this scope. SQLite has no row-level policies, so
    /// this is its second line of defence.
    pub(super) fn admit(self, sql: Sql, values: &[Value]) -> Result<(), DbError> {
        let Self::Tenant(tenant) = self else {
            return Ok(());
        };
        let is_own =
            || matches!(values.first(), Some(Value::Text(text)) if text.parse() == Ok(tenant));
        if sql.is_tenant() && !is_own() {
            return Err(DbError::Foreign {
                statement: sql.text(),
            });
        }
        Ok(())
    }

    /// What the row-level policies compare `tenant_id` with.
    pub(super) fn setting(self) -> String {
        match self {
            Self::Tenant(tenant) => tenant.to_string(),
            Self::Across => "*".to_owned(),
        }
    }
}

/// How many rows a statement must change (or, if it returns rows, return); otherwise the whole script is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Any number.
    Any,
    /// Exactly one.
    One,
    /// One or more.
    Some,
}

impl Guard {
    pub(super) fn admits(self, rows: u64) -> bool {
        match self {
            Self::Any => true,
            Self::One => rows == 1,
            Self::Some => rows >= 1,
        }
    }
}

/// What an acknowledged script has survived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It is on the disk: it survives a power failure. The rule for whatever a caller is told about.
    #[default]
    Synced,
    /// It is in the log: it survives the end of this process, but perhaps not a power failure. For lease renewals,
    /// "last used" marks and the like.
    Logged,
}

/// A list of statements with guards that runs as one transaction, or not at all.
///
/// It is sent as one message: no transaction is ever open while its caller does something else. Guards must be about
/// rows that exist (compare-and-set on a row) or about unique keys: on PostgreSQL scripts run side by side under
/// READ COMMITTED, where "no such row exists" proves nothing.
#[derive(Debug)]
pub struct Script {
    pub(super) scope: Scope,
    pub(super) durability: Durability,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) sql: Sql,
    pub(super) values: Vec<Value>,
    pub(super) guard: Guard,
    pub(super) conflict: &'static str,
}

impl Script {
    /// An empty script on the rows of one tenant.
    pub fn tenant(tenant: TenantId) -> Self {
        Self::scoped(Scope::Tenant(tenant))
    }

    /// An empty script that may touch rows of any tenant.
    pub fn across() -> Self {
        Self::scoped(Scope::Across)
    }

    /// An empty script for `scope`.
    pub fn scoped(scope: Scope) -> Self {
        Self {
            scope,
            durability: Durability::Synced,
            steps: Vec::new(),
        }
    }

    /// Adds a statement. If `guard` does not hold, or the statement violates a unique, foreign-key or check
    /// constraint, the script is undone and answered with [`DbError::Conflict`] of the name `conflict`.
    pub fn push(
        &mut self,
        sql: Sql,
        values: Vec<Value>,
        guard: Guard,
        conflict: &'static str,
    ) -> &mut Self {
        self.steps.push(Step {
            sql,
            values,
            guard,
            conflict,
        });
        self
    }

    /// As [`Script::push`], before all that was added.
    pub fn push_first(
        &mut self,
        sql: Sql,
        values: Vec<Value>,
        guard: Guard,
        conflict: &'static str,
    ) -> &mut Self {
        self.push(sql, values, guard, conflict);
        self.steps.rotate_right(1);
        self
    }

    /// Adds what another script does. If that is about another tenant, the whole is about more than one.
    pub fn append(&mut self, other: Self) -> &mut Self {
        if self.scope != other.scope {
            self.scope = Scope::Across;
        }
        self.steps.extend(other.steps);
        self
    }

    /// Sets what the acknowledgement means; [`Durability::Synced`] unless said otherwise.
    pub fn durability(&mut self, durability: Durability) -> &mut Self {
        self.durability = durability;
        self
    }

    /// How many statements it has.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it has no statement.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), DbError> {
        for step in &self.steps {
            self.scope.admit(step.sql, &step.values)?;
        }
        match self.steps.get(SCRIPT_STATEMENTS_MAX) {
            Some(step) => Err(DbError::Statement {
                statement: step.sql.text(),
                detail: "the script has too many statements".to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// What a script did, statement by statement.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) changed: Vec<u64>,
    pub(super) rows: Vec<Vec<super::Row>>,
}
