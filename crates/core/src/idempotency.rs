//! Requests that must not happen twice.

use bailee_auth::Caller;
use bailee_model::{Error, ErrorKind, Result, limit};
use bailee_store::{DbError, RequestKey, conflict};
use serde::{Deserialize, Serialize};

use crate::{Core, error};

/// How long a request may be under way before its mark is taken for that of a node that died.
const ABANDONED_AFTER_MS: i64 = 15 * 60 * 1000;

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
    route: String,
    key: String,
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
        let slot = IdempotencySlot {
            caller: caller.clone(),
            route: route.to_owned(),
            key: key.to_owned(),
        };
        let store = &self.core.store.identity();
        let now = self.core.clock.now();
        for _ in 0..2 {
            let mut change = store.change(caller.tenant());
            change.begin_request(
                &slot.request(),
                fingerprint,
                now.plus(limit::IDEMPOTENCY_LIFE),
            );
            match change.commit().await {
                Ok(()) => return Ok(Begin::Fresh(Box::new(slot))),
                Err(DbError::Conflict(conflict::KEY_USED)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
            let found = store
                .reader(caller.tenant())
                .remembered(&slot.request())
                .await
                .map_err(error::from_db)?;
            let Some(found) = found else { continue };
            let began = found.expires_at.minus(limit::IDEMPOTENCY_LIFE);
            let is_abandoned = found.answer.is_none() && now.ms() - began.ms() > ABANDONED_AFTER_MS;
            if now >= found.expires_at || is_abandoned {
                self.release(slot.clone()).await?;
                continue;
            }
            if found.fingerprint != fingerprint {
                let detail = "This idempotency key was used for another request.";
                return Err(Error::new(ErrorKind::IdempotencyKeyReused, detail));
            }
            return match found.answer {
                Some(answer) => serde_json::from_slice(&answer)
                    .map(Begin::Replay)
                    .map_err(Error::internal),
                None => Err(in_progress()),
            };
        }
        Err(in_progress())
    }

    /// Keeps the answer of a request that did work.
    pub async fn finish(&self, slot: IdempotencySlot, answer: &StoredAnswer) -> Result<()> {
        let mut change = self.core.store.identity().change(slot.caller.tenant());
        change.finish_request(
            &slot.request(),
            &serde_json::to_vec(answer).map_err(Error::internal)?,
        );
        change.commit().await.map_err(error::from_db)
    }

    /// Forgets a request that did no work: the same key may try again.
    pub async fn release(&self, slot: IdempotencySlot) -> Result<()> {
        let mut change = self.core.store.identity().change(slot.caller.tenant());
        change.forget_request(&slot.request());
        change.commit().await.map_err(error::from_db)
    }
}

impl IdempotencySlot {
    fn request(&self) -> RequestKey<'_> {
        RequestKey {
            principal: self.caller.principal(),
            route: &self.route,
            key: &self.key,
        }
    }
}

fn in_progress() -> Error {
    Error::new(
        ErrorKind::IdempotencyKeyInProgress,
        "The same request is under way.",
    )
    .retry_after(1)
}
