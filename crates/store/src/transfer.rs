use bailee_model::{Page, PageRequest, RemoteName, Timestamp, Transfer, TransferId};

use crate::bundle::with_counts;
use crate::rows::{from_json, json, statements, word};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO transfer (tenant_id, id, state, public_state, label, body, created_by, created_at, revision, \
        parent_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    PUT: tenant = "UPDATE transfer SET state = $3, public_state = $4, label = $5, body = $6, revision = $7 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $8";
    HOLD: tenant = "UPDATE transfer SET revision = revision WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    READ: tenant = "SELECT t.body, b.is_listed, b.files_total, b.files_done, b.files_skipped, b.files_failed, \
        b.bytes_total, b.bytes_done, b.updated_at \
        FROM transfer t LEFT JOIN bundle b ON b.tenant_id = t.tenant_id AND b.id = t.id \
        WHERE t.tenant_id = $1 AND t.id = $2";
    LIST: tenant = "SELECT t.body, b.is_listed, b.files_total, b.files_done, b.files_skipped, b.files_failed, \
        b.bytes_total, b.bytes_done, b.updated_at \
        FROM transfer t LEFT JOIN bundle b ON b.tenant_id = t.tenant_id AND b.id = t.id \
        WHERE t.tenant_id = $1 AND t.parent_id IS NULL \
        AND (CAST($2 AS TEXT) IS NULL OR t.public_state = $2) AND (CAST($3 AS TEXT) IS NULL OR t.label = $3) \
        AND t.created_at >= $4 AND t.created_at < $5 AND t.id < $6 ORDER BY t.id DESC LIMIT $7";
    LIST_OF: tenant = "SELECT body FROM transfer WHERE tenant_id = $1 AND parent_id = $8 \
        AND (CAST($2 AS TEXT) IS NULL OR public_state = $2) AND (CAST($3 AS TEXT) IS NULL OR label = $3) \
        AND created_at >= $4 AND created_at < $5 AND id < $6 ORDER BY id DESC LIMIT $7";
    OPEN_AT: tenant = "SELECT body FROM transfer WHERE tenant_id = $1 AND parent_id IS NULL \
        AND public_state IN ('queued', 'running', 'paused') AND body LIKE $2 ORDER BY id DESC LIMIT $3";
    COUNT_OPEN: tenant = "SELECT COUNT(*) FROM transfer WHERE tenant_id = $1 AND parent_id IS NULL \
        AND public_state IN ('queued', 'running', 'paused')";
    FILES: tenant = "SELECT body FROM transfer WHERE tenant_id = $1 AND parent_id = $2 \
        AND (CAST($3 AS TEXT) IS NULL OR public_state = $3) AND id > $4 ORDER BY id LIMIT $5";
}

/// The conflict of [`Change::put_transfer`]: somebody else wrote the row since it was read.
pub const REVISION: &str = "transfer_revision";

/// Which transfers a list shows.
#[derive(Clone, Debug, Default)]
pub struct TransferFilter {
    /// Only in this public state.
    pub state: Option<String>,
    /// Only with this label.
    pub label: Option<String>,
    /// Only made at or after this time.
    pub created_after: Option<Timestamp>,
    /// Only made before this time.
    pub created_before: Option<Timestamp>,
    /// The files of this one, which no other list shows.
    pub parent: Option<TransferId>,
}

impl Change {
    /// Adds a transfer.
    pub fn insert_transfer(&mut self, transfer: &Transfer) -> &mut Self {
        let row = values![
            transfer.id,
            word(&transfer.state),
            transfer.state.public(),
            transfer.label.as_deref(),
            json(transfer),
            transfer.created_by.to_string(),
            transfer.created_at,
            transfer.revision,
            transfer.parent,
        ];
        self.add(INSERT, row, Guard::One, "transfer")
    }

    /// Replaces a transfer that is one revision older than this one; the conflict is [`REVISION`].
    pub fn put_transfer(&mut self, transfer: &Transfer) -> &mut Self {
        let row = values![
            transfer.id,
            word(&transfer.state),
            transfer.state.public(),
            transfer.label.as_deref(),
            json(transfer),
            transfer.revision,
            transfer.revision.saturating_sub(1),
        ];
        self.add(PUT, row, Guard::One, REVISION)
    }

    /// Makes this change fail with [`REVISION`] unless a transfer is still as it was read.
    pub fn hold_transfer(&mut self, transfer: &Transfer) -> &mut Self {
        let row = values![transfer.id, transfer.revision];
        self.add(HOLD, row, Guard::One, REVISION)
    }
}

impl Reader {
    /// One transfer.
    pub async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, DbError> {
        let row = self.row(READ, values![id]).await?;
        row.map(|row| with_counts(&row)).transpose()
    }

    /// Transfers, newest first.
    pub async fn transfers(
        &self,
        filter: &TransferFilter,
        page: &PageRequest,
    ) -> Result<Page<Transfer>, DbError> {
        let mut row = values![
            filter.state.as_deref(),
            filter.label.as_deref(),
            filter.created_after.map_or(i64::MIN, Timestamp::ms),
            filter.created_before.map_or(i64::MAX, Timestamp::ms),
            crate::reader::before(page),
            page.limit + 1,
        ];
        if let Some(parent) = filter.parent {
            row.extend(values![parent]);
            let id = |last: &Transfer| last.id;
            return self.documents(LIST_OF, row, page.limit, id).await;
        }
        let rows = self.rows(LIST, row).await?;
        let found = rows
            .iter()
            .map(with_counts)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(found, page.limit, |last| {
            crate::reader::by_id(last.id)
        }))
    }

    /// Transfers that have not ended and that name a remote, newest first. Some may name it elsewhere than at an end.
    pub async fn open_transfers_at(
        &self,
        remote: &RemoteName,
        most: u32,
    ) -> Result<Vec<Transfer>, DbError> {
        // Names hold no letter that means something in a pattern.
        let pattern = format!("%\"remote\":\"{remote}\"%");
        let rows = self.rows(OPEN_AT, values![pattern, most]).await?;
        rows.iter().map(|row| from_json(row, 0)).collect()
    }

    /// How many transfers have not ended. The files of those that move many do not count.
    pub async fn count_open_transfers(&self) -> Result<u64, DbError> {
        self.row(COUNT_OPEN, values![])
            .await?
            .map_or(Ok(0), |row| row.uint(0))
    }

    /// The files of a transfer of many, in the order in which they were found.
    pub async fn transfer_files(
        &self,
        parent: TransferId,
        state: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Transfer>, DbError> {
        let after = page.after.as_ref().map_or("", |cursor| cursor.id.as_str());
        let row = values![parent, state, after, page.limit + 1];
        self.documents(FILES, row, page.limit, |last: &Transfer| last.id)
            .await
    }
}
