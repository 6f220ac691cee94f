use bailee_model::{PrincipalId, Timestamp};

use crate::rows::statements;
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    BEGIN: tenant = "INSERT INTO idempotency (tenant_id, principal_id, route, key_text, fingerprint, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    FINISH: tenant = "UPDATE idempotency SET answer = $5 \
        WHERE tenant_id = $1 AND principal_id = $2 AND route = $3 AND key_text = $4 AND answer IS NULL";
    FORGET: tenant = "DELETE FROM idempotency WHERE tenant_id = $1 AND principal_id = $2 AND route = $3 AND key_text = $4";
    READ: tenant = "SELECT fingerprint, answer, expires_at FROM idempotency \
        WHERE tenant_id = $1 AND principal_id = $2 AND route = $3 AND key_text = $4";
}

/// The conflict of [`Change::begin_request`]: the key was used before.
pub const KEY_USED: &str = "idempotency_key";

/// A request that a client marked with an idempotency_key.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// Hash of what makes the request the same.
    pub fingerprint: String,
    /// The answer in core's form; `None` while the request is under way.
    pub answer: Option<Vec<u8>>,
    /// Until when it is remembered.
    pub expires_at: Timestamp,
}

/// Which request is meant.
#[derive(Clone, Debug)]
pub struct RequestKey<'a> {
    /// Who sent it.
    pub principal: PrincipalId,
    /// To which operation.
    pub route: &'a str,
    /// The client's key.
    pub key: &'a str,
}

impl Change {
    /// Remembers that a request began; the conflict is [`KEY_USED`].
    pub fn begin_request(
        &mut self,
        request: &RequestKey<'_>,
        fingerprint: &str,
        until: Timestamp,
    ) -> &mut Self {
        let row = values![
            request.principal.to_string(),
            request.route,
            request.key,
            fingerprint,
            until
        ];
        self.add(BEGIN, row, Guard::One, KEY_USED)
    }

    /// Remembers the answer.
    pub fn finish_request(&mut self, request: &RequestKey<'_>, answer: &[u8]) -> &mut Self {
        let row = values![
            request.principal.to_string(),
            request.route,
            request.key,
            answer
        ];
        self.add(FINISH, row, Guard::Any, KEY_USED)
    }

    /// Forgets a request that did no work.
    pub fn forget_request(&mut self, request: &RequestKey<'_>) -> &mut Self {
        self.add(
            FORGET,
            values![request.principal.to_string(), request.route, request.key],
            Guard::Any,
            KEY_USED,
        )
    }
}

impl Reader {
    /// What is remembered of a request.
    pub async fn remembered(
        &self,
        request: &RequestKey<'_>,
    ) -> Result<Option<Remembered>, DbError> {
        let row = self
            .row(
                READ,
                values![request.principal.to_string(), request.route, request.key],
            )
            .await?;
        row.map(|row| {
            let answer = row.opt_bytes(1)?.map(<[u8]>::to_vec);
            Ok(Remembered {
                fingerprint: row.text(0)?.to_owned(),
                answer,
                expires_at: row.time(2)?,
            })
        })
        .transpose()
    }
}
