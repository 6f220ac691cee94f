use bailee_model::{Page, PageRequest, Principal, PrincipalId, PrincipalKind};

use crate::rows::{json, statements, word};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO principal (tenant_id, id, kind, name, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    PUT: tenant = "UPDATE principal SET name = $3, body = $4 WHERE tenant_id = $1 AND id = $2";
    HOLD: tenant = "UPDATE principal SET name = name WHERE tenant_id = $1 AND id = $2 AND body = $3";
    DELETE: tenant = "DELETE FROM principal WHERE tenant_id = $1 AND id = $2";
    READ: tenant = "SELECT body FROM principal WHERE tenant_id = $1 AND id = $2";
    LIST: tenant = "SELECT body FROM principal WHERE tenant_id = $1 AND kind = $2 AND id < $3 ORDER BY id DESC LIMIT $4";
    COUNT_KEYS: tenant = "SELECT COUNT(*) FROM api_key WHERE tenant_id = $1 AND principal_id = $2";
}

/// The conflict of [`Change::hold_principal`]: it was changed since it was read.
pub const CHANGED: &str = "principal";
/// The conflict of [`Change::insert_principal`] and [`Change::put_principal`] when the name is taken.
pub const NAME: &str = "principal_name";

impl Change {
    /// Adds a principal; the conflict is [`NAME`].
    pub fn insert_principal(&mut self, principal: &Principal) -> &mut Self {
        let kind = word(&principal.kind());
        let row = values![
            principal.id.to_string(),
            kind,
            &principal.name,
            json(principal),
            principal.created_at
        ];
        self.add(INSERT, row, Guard::One, NAME)
    }

    /// Makes this change fail with [`CHANGED`] unless the principal is still as it was read. Changes that hold the
    /// same principal run one after the other.
    pub fn hold_principal(&mut self, as_read: &Principal) -> &mut Self {
        let row = values![as_read.id.to_string(), json(as_read)];
        self.add(HOLD, row, Guard::One, CHANGED)
    }

    /// Replaces a principal if it is still as it was read; the conflict is [`CHANGED`], or [`NAME`] when the name is
    /// taken.
    pub fn put_principal(&mut self, principal: &Principal, as_read: &Principal) -> &mut Self {
        self.hold_principal(as_read);
        let row = values![principal.id.to_string(), &principal.name, json(principal)];
        self.add(PUT, row, Guard::One, NAME)
    }

    /// Removes a principal that has no keys; the conflict is `in_use`.
    pub fn delete_principal(&mut self, id: PrincipalId) -> &mut Self {
        self.add(DELETE, values![id.to_string()], Guard::One, "in_use")
    }
}

impl Reader {
    /// One principal.
    pub async fn principal(&self, id: PrincipalId) -> Result<Option<Principal>, DbError> {
        self.document(READ, values![id.to_string()]).await
    }

    /// Principals of a kind, newest first.
    pub async fn principals(
        &self,
        kind: PrincipalKind,
        page: &PageRequest,
    ) -> Result<Page<Principal>, DbError> {
        let after = crate::reader::before(page);
        self.documents(
            LIST,
            values![word(&kind), after, page.limit + 1],
            page.limit,
            |last: &Principal| last.id,
        )
        .await
    }

    /// How many keys a principal has, revoked ones included.
    pub async fn count_keys(&self, id: PrincipalId) -> Result<u64, DbError> {
        self.row(COUNT_KEYS, values![id.to_string()])
            .await?
            .map_or(Ok(0), |row| row.uint(0))
    }
}
