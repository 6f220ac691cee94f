use bailee_model::{Page, PageRequest, Secret, SecretId, SecretName};

use crate::rows::{json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO secret (tenant_id, id, name, body, revision) SELECT $1, $2, $3, $4, CAST($5 AS BIGINT) \
        WHERE (SELECT COUNT(*) FROM secret WHERE tenant_id = $1) < $6";
    PUT: tenant = "UPDATE secret SET name = $3, body = $4, revision = $5 WHERE tenant_id = $1 AND id = $2 AND revision = $6";
    HOLD: tenant = "UPDATE secret SET name = name WHERE tenant_id = $1 AND id = $2";
    DELETE: tenant = "DELETE FROM secret WHERE tenant_id = $1 AND id = $2 AND revision = $3 \
        AND NOT EXISTS (SELECT 1 FROM remote WHERE tenant_id = $1 AND body LIKE $4)";
    READ: tenant = "SELECT body FROM secret WHERE tenant_id = $1 AND id = $2";
    BY_NAME: tenant = "SELECT body FROM secret WHERE tenant_id = $1 AND name = $2";
    LIST: tenant = "SELECT body FROM secret WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    USERS: tenant = "SELECT name FROM remote WHERE tenant_id = $1 AND body LIKE $2 ORDER BY name LIMIT $3";
}

/// The conflict of [`Change::insert_secret`]: the name is taken, or there are enough.
pub const TAKEN: &str = "secret_taken";
/// The conflict of [`Change::put_secret`] and [`Change::delete_secret`]: it was changed since it was read, its name is
/// taken, or it is in use.
pub const REVISION: &str = "secret_revision";
/// The conflict of [`Change::hold_secret`]: there is none.
pub const GONE: &str = "secret_gone";

impl Change {
    /// Adds a secret unless the tenant has `most` already; the conflict is [`TAKEN`]. A few that are added at the same
    /// moment may all pass.
    pub fn insert_secret(&mut self, secret: &Secret, most: u64) -> &mut Self {
        let row = values![
            secret.id,
            secret.name.as_str(),
            json(secret),
            secret.revision,
            most
        ];
        self.add(INSERT, row, Guard::One, TAKEN)
    }

    /// Replaces a secret that is one revision older than this one; the conflict is [`REVISION`].
    pub fn put_secret(&mut self, secret: &Secret) -> &mut Self {
        let old = secret.revision.saturating_sub(1);
        let row = values![
            secret.id,
            secret.name.as_str(),
            json(secret),
            secret.revision,
            old
        ];
        self.add(PUT, row, Guard::One, REVISION)
    }

    /// Makes this change fail with [`GONE`] unless the secret is there: what refers to it is written beside.
    pub fn hold_secret(&mut self, id: SecretId) -> &mut Self {
        self.add(HOLD, values![id], Guard::One, GONE)
    }

    /// Removes a secret as it was read, which no remote refers to; the conflict is [`REVISION`].
    pub fn delete_secret(&mut self, secret: &Secret) -> &mut Self {
        let row = values![secret.id, secret.revision, holder(secret.id)];
        self.add(DELETE, row, Guard::One, REVISION)
    }
}

impl Reader {
    /// One secret.
    pub async fn secret(&self, id: SecretId) -> Result<Option<Secret>, DbError> {
        self.document(READ, values![id]).await
    }

    /// The secret of a name.
    pub async fn secret_named(&self, name: &SecretName) -> Result<Option<Secret>, DbError> {
        self.document(BY_NAME, values![name.as_str()]).await
    }

    /// Names of remotes that refer to a secret, the first `most`.
    pub async fn secret_users(&self, id: SecretId, most: u32) -> Result<Vec<String>, DbError> {
        let rows = self.rows(USERS, values![holder(id), most]).await?;
        rows.iter()
            .map(|row| row.text(0).map(str::to_owned))
            .collect()
    }

    /// Secrets, newest first.
    pub async fn secrets(&self, page: &PageRequest) -> Result<Page<Secret>, DbError> {
        self.documents(
            LIST,
            values![crate::reader::before(page), page.limit + 1],
            page.limit,
            |last: &Secret| last.id,
        )
        .await
    }
}

/// What the row of a remote that refers to a secret is like: the id in quotes. (`_` stands for any letter, which no other
/// id than this one has there.)
fn holder(id: SecretId) -> String {
    format!("%\"{id}\"%")
}
