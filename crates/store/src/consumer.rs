use bailee_model::{TenantId, Timestamp};

use crate::journal::HEAD_MOVED;
use crate::rows::statements;
use crate::{Change, DbError, Guard, QueueDoor, Reader, values};

statements! {
    // Where nothing was read yet, reading begins here: what came before is nobody's.
    BEGIN: tenant = "INSERT INTO journal_cursor (tenant_id, consumer, sequence) \
        SELECT $1, $2, size FROM journal_head WHERE tenant_id = $1 ON CONFLICT (tenant_id, consumer) DO NOTHING";
    MOVE: tenant = "UPDATE journal_cursor SET sequence = $3 WHERE tenant_id = $1 AND consumer = $2 AND sequence = $4";
    CURSOR: tenant = "SELECT sequence FROM journal_cursor WHERE tenant_id = $1 AND consumer = $2";
    CONSUMERS: tenant = "SELECT consumer, sequence FROM journal_cursor WHERE tenant_id = $1 ORDER BY consumer";
    UNSEALED_BEFORE: tenant = "SELECT ord FROM journal WHERE tenant_id = $1 AND sequence IS NULL AND made_at < $2 LIMIT 1";
    MADE_AT: tenant = "SELECT made_at FROM journal WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT 1";
    LAGGING: across = "SELECT c.tenant_id, c.sequence, h.size FROM journal_cursor c JOIN journal_head h ON h.tenant_id = c.tenant_id \
        WHERE c.consumer = $1 AND h.size > c.sequence LIMIT 1000";
}

impl Change {
    /// Begins to read the tenant's journal for a consumer from its end on, unless it reads already. Until then the
    /// consumer costs the tenant nothing.
    pub fn begin_consumer(&mut self, consumer: &str) -> &mut Self {
        self.add(BEGIN, values![consumer], Guard::Any, HEAD_MOVED)
    }

    /// Moves a consumer's cursor on; the conflict is [`HEAD_MOVED`]: another node was first.
    pub fn move_cursor(&mut self, consumer: &str, from: u64, to: u64) -> &mut Self {
        self.add(MOVE, values![consumer, to, from], Guard::One, HEAD_MOVED)
    }
}

impl Reader {
    /// Where a consumer is.
    pub async fn journal_cursor(&self, consumer: &str) -> Result<u64, DbError> {
        self.row(CURSOR, values![consumer])
            .await?
            .map_or(Ok(0), |row| row.uint(0))
    }

    /// Whether a consumer has read all entries that were made before a time.
    pub async fn has_read_until(&self, consumer: &str, time: Timestamp) -> Result<bool, DbError> {
        let unsealed = self.row(UNSEALED_BEFORE, values![time]).await?;
        let oldest = self.oldest_unread(consumer).await?;
        Ok(unsealed.is_none() && oldest.is_none_or(|oldest| oldest >= time))
    }

    /// When the first entry was made that a consumer has not read.
    pub async fn oldest_unread(&self, consumer: &str) -> Result<Option<Timestamp>, DbError> {
        let cursor = self.journal_cursor(consumer).await?;
        let row = self.row(MADE_AT, values![cursor]).await?;
        row.map(|row| row.time(0)).transpose()
    }

    /// The consumers of the journal.
    pub async fn consumers(&self) -> Result<Vec<String>, DbError> {
        let found = self.rows(CONSUMERS, values![]).await?;
        found
            .iter()
            .map(|row| Ok(row.text(0)?.to_owned()))
            .collect()
    }
}

impl QueueDoor {
    /// Tenants in which a consumer has sealed entries to read: tenant, its cursor, the journal's size.
    pub async fn lagging(&self, consumer: &str) -> Result<Vec<(TenantId, (u64, u64))>, DbError> {
        let rows = self.across(LAGGING, values![consumer]).await?;
        rows.iter()
            .map(|row| Ok((row.parse(0)?, (row.uint(1)?, row.uint(2)?))))
            .collect()
    }
}
