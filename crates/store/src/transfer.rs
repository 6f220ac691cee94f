use bailee_model::{Page, PageRequest, Timestamp, Transfer, TransferId};

use crate::rows::{json, statements, word};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO transfer (tenant_id, id, state, public_state, label, body, created_by, created_at, revision) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    PUT: tenant = "UPDATE transfer SET state = $3, public_state = $4, label = $5, body = $6, revision = $7 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $8";
    READ: tenant = "SELECT body FROM transfer WHERE tenant_id = $1 AND id = $2";
    LIST: tenant = "SELECT body FROM transfer WHERE tenant_id = $1 \
        AND (CAST($2 AS TEXT) IS NULL OR public_state = $2) AND (CAST($3 AS TEXT) IS NULL OR label = $3) \
        AND created_at >= $4 AND created_at < $5 AND id < $6 ORDER BY id DESC LIMIT $7";
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
}

impl Reader {
    /// One transfer.
    pub async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, DbError> {
        self.document(READ, values![id]).await
    }

    /// Transfers, newest first.
    pub async fn transfers(
        &self,
        filter: &TransferFilter,
        page: &PageRequest,
    ) -> Result<Page<Transfer>, DbError> {
        let row = values![
            filter.state.as_deref(),
            filter.label.as_deref(),
            filter.created_after.map_or(i64::MIN, Timestamp::ms),
            filter.created_before.map_or(i64::MAX, Timestamp::ms),
            crate::reader::before(page),
            page.limit + 1,
        ];
        self.documents(LIST, row, page.limit, |last: &Transfer| last.id)
            .await
    }
}
