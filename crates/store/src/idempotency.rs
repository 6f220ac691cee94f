use bailee_model::Timestamp;

use crate::rows::statements;
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    BEGIN: tenant = "INSERT INTO idempotency (tenant_id, caller, route, key_text, fingerprint, token, owner, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    DONE: tenant = "UPDATE idempotency SET result = $6 WHERE tenant_id = $1 AND caller = $2 AND route = $3 \
        AND key_text = $4 AND token = $5 AND result IS NULL AND answer IS NULL";
    FINISH: tenant = "UPDATE idempotency SET answer = $6 WHERE tenant_id = $1 AND caller = $2 AND route = $3 \
        AND key_text = $4 AND token = $5 AND answer IS NULL";
    FORGET: tenant = "DELETE FROM idempotency WHERE tenant_id = $1 AND caller = $2 AND route = $3 \
        AND key_text = $4 AND token = $5 AND ((result IS NULL AND answer IS NULL) OR expires_at <= $6)";
    READ: tenant = "SELECT fingerprint, answer, expires_at, token, owner, result FROM idempotency \
        WHERE tenant_id = $1 AND caller = $2 AND route = $3 AND key_text = $4";
}

/// The conflict of [`Change::begin_request`]: the key was used before; and of [`Change::made`]: the mark is another
/// run's by now, or this one's work is done.
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
    /// The run that the mark belongs to.
    pub token: String,
    /// The process that runs it.
    pub owner: String,
    /// What the run made, said in the transaction that made it.
    pub result: Option<String>,
}

/// Which request is meant.
#[derive(Clone, Debug)]
pub struct RequestKey<'a> {
    /// Who sent it, and with which credential.
    pub caller: &'a str,
    /// To which operation.
    pub route: &'a str,
    /// The client's key.
    pub key: &'a str,
}

/// A request that begins.
#[derive(Clone, Debug)]
pub struct NewRequest<'a> {
    /// Hash of what makes the request the same.
    pub fingerprint: &'a str,
    /// The run that the mark belongs to.
    pub token: &'a str,
    /// The process that runs it.
    pub owner: &'a str,
    /// Until when it is remembered.
    pub until: Timestamp,
}

impl Change {
    /// Remembers that a request began; the conflict is [`KEY_USED`].
    pub fn begin_request(&mut self, request: &RequestKey<'_>, new: &NewRequest<'_>) -> &mut Self {
        let row = values![
            request.caller,
            request.route,
            request.key,
            new.fingerprint,
            new.token,
            new.owner,
            new.until
        ];
        self.add(BEGIN, row, Guard::One, KEY_USED)
    }

    /// Says what a marked request makes by this change; nothing where its request is not marked. The conflict is
    /// [`KEY_USED`]: this run was given up and another one has the mark, or the work is done, so nothing must be done.
    pub fn made(&mut self, result: &str) -> &mut Self {
        let Some(mark) = self.told() else {
            return self;
        };
        let row = values![&mark.caller, &mark.route, &mark.key, &mark.token, result];
        // First, so that a run that was given up is told that, and not what else it stumbles over.
        self.add_first(DONE, row, Guard::One, KEY_USED)
    }

    /// Remembers the answer, if the mark is still this run's.
    pub fn finish_request(
        &mut self,
        request: &RequestKey<'_>,
        token: &str,
        answer: &[u8],
    ) -> &mut Self {
        let row = values![request.caller, request.route, request.key, token, answer];
        self.add(FINISH, row, Guard::Any, KEY_USED)
    }

    /// Forgets a run that did no work or is past its time, if the mark is still its own.
    pub fn forget_request(
        &mut self,
        request: &RequestKey<'_>,
        token: &str,
        now: Timestamp,
    ) -> &mut Self {
        let row = values![request.caller, request.route, request.key, token, now];
        self.add(FORGET, row, Guard::Any, KEY_USED)
    }
}

impl Reader {
    /// What is remembered of a request.
    pub async fn remembered(
        &self,
        request: &RequestKey<'_>,
    ) -> Result<Option<Remembered>, DbError> {
        let key = values![request.caller, request.route, request.key];
        let row = self.row(READ, key).await?;
        row.map(|row| {
            Ok(Remembered {
                fingerprint: row.text(0)?.to_owned(),
                answer: row.opt_bytes(1)?.map(<[u8]>::to_vec),
                expires_at: row.time(2)?,
                token: row.text(3)?.to_owned(),
                owner: row.text(4)?.to_owned(),
                result: row.opt_text(5)?.map(str::to_owned),
            })
        })
        .transpose()
    }
}
