//! Requests that must not happen twice.
//!
//! Each run has a token, and only the run that holds the mark can settle it. Operations in [`TELLING`] say in the
//! transaction that does the work what they made, and fail there if another run has taken the mark: a mark of theirs
//! without a result proves that nothing was done, so after a crash it is free at once; with a result but without an
//! answer, the answer is made again. Of other operations a crash between the work and its answer leaves a mark that
//! blocks the key for [`ABANDONED_AFTER_MS`]; then the same request runs again.

use bailee_auth::{Caller, RequestMark, Via};
use bailee_model::{Error, ErrorKind, Result, limit};
use bailee_store::{Change, DbError, NewRequest, Remembered, RequestKey, conflict};
use serde::{Deserialize, Serialize};

use crate::{Core, error};

/// How long a request may be under way before its mark is taken for that of a node that died.
const ABANDONED_AFTER_MS: i64 = 15 * 60 * 1000;

/// Operations that say in the transaction that does their work what they made.
const TELLING: &[&str] = &["transfers.create", "transfers.retry"];
/// How long another process's run of such an operation may be under way before its mark is taken over.
const TAKEN_OVER_AFTER_MS: i64 = 5 * 1000;

/// The marks of the caller's tenant.
pub struct Idempotency<'a> {
    pub(crate) core: &'a Core,
}

/// An answer as it went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A request that is under way.
#[derive(Clone, Debug)]
pub struct IdempotencySlot {
    caller: Caller,
    who: String,
    mark: RequestMark,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Begin {
    /// It is new: do it, then [`Idempotency::finish`] or [`Idempotency::release`].
    Fresh(Box<IdempotencySlot>),
    /// It was done: this is its answer.
    Replay(StoredAnswer),
}

impl Idempotency<'_> {
    /// Marks a request. `idempotency_key_in_progress` (409): the same is under way. `idempotency_key_reused` (422):
    /// the key belongs to another request.
    pub async fn begin(
        &self,
        caller: &Caller,
        route: &str,
        key: &str,
        fingerprint: &str,
    ) -> Result<Begin> {
        if key.is_empty()
            || key.len() > limit::IDEMPOTENCY_KEY_MAX
            || !key.bytes().all(|b| b.is_ascii_graphic())
        {
            let detail = format!(
                "An idempotency key is 1 to {} visible letters.",
                limit::IDEMPOTENCY_KEY_MAX
            );
            return Err(Error::new(ErrorKind::InvalidParameter, detail));
        }
        let mut token = [0_u8; 16];
        self.core.chance.fill(&mut token);
        let mut slot = IdempotencySlot {
            who: who(caller),
            caller: caller.clone(),
            mark: RequestMark {
                route: route.to_owned(),
                key: key.to_owned(),
                token: hex::encode(token),
                result: None,
            },
        };
        let store = &self.core.store.identity();
        let now = self.core.clock.now();
        for _ in 0..2 {
            let new = NewRequest {
                fingerprint,
                token: &slot.mark.token,
                owner: &self.core.process,
                until: now.plus(limit::IDEMPOTENCY_LIFE),
            };
            let mut change = store.change(caller.tenant());
            change.begin_request(&slot.request(), &new);
            match change.commit().await {
                Ok(()) => return Ok(Begin::Fresh(Box::new(slot))),
                Err(DbError::Conflict(conflict::KEY_USED)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
            let reader = store.reader(caller.tenant());
            let found = reader.remembered(&slot.request()).await;
            let Some(found) = found.map_err(error::from_db)? else {
                continue;
            };
            if now >= found.expires_at || self.is_abandoned(route, &found) {
                let mut change = store.change(caller.tenant());
                change.forget_request(&slot.request(), &found.token);
                change.commit().await.map_err(error::from_db)?;
                continue;
            }
            if found.fingerprint != fingerprint {
                let detail = "This idempotency key was used for another request.";
                return Err(Error::new(ErrorKind::IdempotencyKeyReused, detail));
            }
            return match (found.answer, found.result) {
                (Some(answer), _) => serde_json::from_slice(&answer)
                    .map(Begin::Replay)
                    .map_err(Error::internal),
                (None, Some(result)) => {
                    slot.mark.token = found.token;
                    slot.mark.result = Some(result);
                    Ok(Begin::Fresh(Box::new(slot)))
                }
                (None, None) => Err(in_progress()),
            };
        }
        Err(in_progress())
    }

    /// Whether nobody works on a request any more, and nothing came of it.
    fn is_abandoned(&self, route: &str, found: &Remembered) -> bool {
        let began = found.expires_at.minus(limit::IDEMPOTENCY_LIFE);
        let age_ms = self.core.clock.now().ms() - began.ms();
        let is_open = found.answer.is_none() && found.result.is_none();
        let is_others = found.owner != self.core.process;
        let most_ms = if TELLING.contains(&route) && is_others {
            TAKEN_OVER_AFTER_MS
        } else {
            ABANDONED_AFTER_MS
        };
        is_open && age_ms > most_ms
    }

    /// Keeps the answer of a request that did work.
    pub async fn finish(&self, slot: IdempotencySlot, answer: &StoredAnswer) -> Result<()> {
        let mut change = self.core.store.identity().change(slot.caller.tenant());
        change.finish_request(
            &slot.request(),
            &slot.mark.token,
            &serde_json::to_vec(answer).map_err(Error::internal)?,
        );
        change.commit().await.map_err(error::from_db)
    }

    /// Forgets a request that did no work: the same key may try again.
    pub async fn release(&self, slot: IdempotencySlot) -> Result<()> {
        let mut change = self.core.store.identity().change(slot.caller.tenant());
        change.forget_request(&slot.request(), &slot.mark.token);
        change.commit().await.map_err(error::from_db)
    }
}

impl IdempotencySlot {
    /// The caller whose use cases know of the mark: the work is done in its name.
    pub fn caller(&self) -> Caller {
        self.caller.marked(self.mark.clone())
    }

    fn request(&self) -> RequestKey<'_> {
        key_of(&self.who, &self.mark)
    }
}

/// Says in the transaction that does the work of a marked request what it made. The commit then fails with
/// [`conflict::KEY_USED`] if another run has taken the mark over: see [`in_progress`].
pub(crate) fn mark_done(change: &mut Change, caller: &Caller, result: impl std::fmt::Display) {
    if let Some(mark) = caller.mark() {
        let who = who(caller);
        change.request_done(&key_of(&who, mark), &mark.token, &result.to_string());
    }
}

fn key_of<'a>(who: &'a str, mark: &'a RequestMark) -> RequestKey<'a> {
    RequestKey {
        caller: who,
        route: &mark.route,
        key: &mark.key,
    }
}

/// A key of the same principal that may do less must not be told what another one was answered.
fn who(caller: &Caller) -> String {
    match caller.via() {
        Via::ApiKey(key) => format!("{}/{key}", caller.principal()),
        Via::Transfer(transfer) => format!("{}/{transfer}", caller.principal()),
    }
}

pub(crate) fn in_progress() -> Error {
    Error::new(
        ErrorKind::IdempotencyKeyInProgress,
        "The same request is under way.",
    )
    .retry_after(1)
}
