use bailee_model::TenantId;

use crate::{Change, Db, DbError, Reader, Row, Scope, Sql, Value};

/// Door without permit 3: job leases, sealing of the journal, sweeping. Its verbs stand with their nouns.
pub struct QueueDoor {
    db: Db,
}

impl QueueDoor {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// A change to the tenant of a job or of a thing to sweep.
    pub fn change(&self, tenant: TenantId) -> Change {
        Change::new(self.db.clone(), tenant)
    }

    /// Reads the tenant of a job or of a thing to sweep.
    pub fn reader(&self, tenant: TenantId) -> Reader {
        Reader::new(self.db.clone(), tenant)
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) async fn across(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, DbError> {
        self.db.fetch(Scope::Across, sql, values).await
    }
}
