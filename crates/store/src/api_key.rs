use bailee_model::{ApiKey, KeyId, KeyState, Page, PageRequest, PrincipalId, Timestamp};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO api_key (tenant_id, id, principal_id, body, created_at, live_until) \
        SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT) \
        WHERE (SELECT COUNT(*) FROM api_key WHERE tenant_id = $1 AND principal_id = $3 AND live_until > $5) < $7";
    PUT: tenant = "UPDATE api_key SET body = $3, live_until = $5 WHERE tenant_id = $1 AND id = $2 AND body = $4";
    READ: tenant = "SELECT body, last_used_at FROM api_key WHERE tenant_id = $1 AND id = $2";
    LIST: tenant = "SELECT body, last_used_at FROM api_key WHERE tenant_id = $1 \
        AND (CAST($2 AS TEXT) IS NULL OR principal_id = $2) AND id < $3 ORDER BY id DESC LIMIT $4";
}

/// The conflict of [`Change::insert_key`]: its owner has enough.
pub const LIMIT: &str = "key_limit";

/// Until when a key can be good, in milliseconds.
fn live_until(key: &ApiKey) -> i64 {
    match (key.state, key.expires_at) {
        (KeyState::Revoked, _) => 0,
        (_, Some(end)) => end.ms(),
        (_, None) => i64::MAX,
    }
}

impl Change {
    /// Adds a key unless its owner has `most` live ones already; the conflict is [`LIMIT`]. The count is exact after
    /// [`Change::hold_principal`].
    pub fn insert_key(&mut self, key: &ApiKey, most: u64) -> &mut Self {
        let row = values![
            key.id,
            key.principal.to_string(),
            json(key),
            key.created_at,
            live_until(key),
            most
        ];
        self.add(INSERT, row, Guard::One, LIMIT)
    }

    /// Replaces a key if it is still as it was read; the conflict is `key`.
    pub fn put_key(&mut self, key: &ApiKey, as_read: &ApiKey) -> &mut Self {
        self.add(
            PUT,
            values![key.id, json(key), json(as_read), live_until(key)],
            Guard::One,
            "key",
        )
    }
}

impl Reader {
    /// One key, and when it was last used.
    pub async fn key(&self, id: KeyId) -> Result<Option<(ApiKey, Option<Timestamp>)>, DbError> {
        let row = self.row(READ, values![id]).await?;
        row.map(|row| Ok((from_json(&row, 0)?, row.opt_time(1)?)))
            .transpose()
    }

    /// Keys of one principal or of all, newest first.
    pub async fn keys(
        &self,
        of: Option<PrincipalId>,
        page: &PageRequest,
    ) -> Result<Page<(ApiKey, Option<Timestamp>)>, DbError> {
        let of = of.map(|id| id.to_string());
        let rows = self
            .rows(
                LIST,
                values![of, crate::reader::before(page), page.limit + 1],
            )
            .await?;
        let found = rows
            .iter()
            .map(|row| Ok((from_json(row, 0)?, row.opt_time(1)?)));
        let found = found.collect::<Result<Vec<(ApiKey, Option<Timestamp>)>, DbError>>()?;
        Ok(Page::cut(found, page.limit, |(last, _)| {
            crate::reader::by_id(last.id)
        }))
    }
}
