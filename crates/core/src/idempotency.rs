//! Requests that must not happen twice.
//!
//! Each run has a token, and only the run that holds the mark can settle it. A use case says in the transaction that
//! does its work what it made ([`made`]), and asks before anything else whether an earlier run did it ([`earlier`]).
//! It cannot forget the first: a change of a marked request that says nothing does not commit. If it forgets the
//! second, its commit finds the mark done and fails. So a mark without a result proves that nothing was done, and after
//! a crash it is free within moments; with a result but without an answer, the answer is made again from the result.
//!
//! What is shown once is never kept. Of a secret only the id of its owner is ([`made_secret`]), and that is what a
//! repetition is told, whether the first answer got through or not.

use bailee_auth::{Caller, RequestMark, Via};
use bailee_model::{Error, ErrorKind, Result, limit};
use bailee_store::{Change, DbError, NewRequest, Remembered, RequestKey, conflict};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Core, error};

/// How long a request of this process may be under way before its mark is taken for a lost one.
const ABANDONED_AFTER_MS: i64 = 15 * 60 * 1000;
/// How long another process's run may be under way before its mark is taken over. If that process lives, its commit
/// fails.
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
            caller: caller.clone(),
            mark: RequestMark {
                caller: who(caller),
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
            if now >= found.expires_at || self.is_abandoned(&found) {
                let mut change = store.change(caller.tenant());
                change.forget_request(&slot.request(), &found.token, now);
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
    fn is_abandoned(&self, found: &Remembered) -> bool {
        let began = found.expires_at.minus(limit::IDEMPOTENCY_LIFE);
        let age_ms = self.core.clock.now().ms() - began.ms();
        let is_open = found.answer.is_none() && found.result.is_none();
        let most_ms = if found.owner == self.core.process {
            ABANDONED_AFTER_MS
        } else {
            TAKEN_OVER_AFTER_MS
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

    /// Forgets a request that did no work: the same key may try again. One that failed after its work stays marked.
    pub async fn release(&self, slot: IdempotencySlot) -> Result<()> {
        let mut change = self.core.store.identity().change(slot.caller.tenant());
        let now = self.core.clock.now();
        change.forget_request(&slot.request(), &slot.mark.token, now);
        change.commit().await.map_err(error::from_db)
    }
}

impl IdempotencySlot {
    /// The caller whose use cases know of the mark: the work is done in its name.
    pub fn caller(&self) -> Caller {
        self.caller.marked(self.mark.clone())
    }

    /// Whether an earlier run did the work, so that there is only an answer to be made again.
    pub fn is_repeated(&self) -> bool {
        self.mark.result.is_some()
    }

    fn request(&self) -> RequestKey<'_> {
        RequestKey {
            caller: &self.mark.caller,
            route: &self.mark.route,
            key: &self.mark.key,
        }
    }
}

/// Instead of what shows a secret: whose secret it is.
#[derive(Serialize, Deserialize)]
struct ShownOnce {
    shown_once: String,
}

/// What an earlier run of the caller's request made, whose answer was lost. Asked for before anything else: the caller
/// is who sent the first, and what it may do now was asked then.
pub(crate) fn earlier<T: DeserializeOwned>(caller: &Caller) -> Result<Option<T>> {
    let result = caller.mark().and_then(|mark| mark.result.as_deref());
    result
        .map(|text| serde_json::from_str(text).map_err(Error::internal))
        .transpose()
}

/// As [`earlier`], for what is shown once: refuses the repetition, naming what the first made.
pub(crate) fn not_shown_before(caller: &Caller) -> Result<()> {
    match earlier::<ShownOnce>(caller)? {
        None => Ok(()),
        Some(made) => {
            let detail = format!(
                "This request was done and made {}; its secret was shown once.",
                made.shown_once
            );
            Err(Error::new(ErrorKind::IdempotencySecretShown, detail)
                .with("made_id", made.shown_once))
        }
    }
}

/// Says in the transaction that does the work of a marked request what it makes: enough to answer once more. If
/// another run has taken the mark over, the commit fails with [`conflict::KEY_USED`] and nothing is done.
pub(crate) fn made(change: &mut Change, what: &impl Serialize) -> Result<()> {
    if change.is_marked() {
        change.made(&serde_json::to_string(what).map_err(Error::internal)?);
    }
    Ok(())
}

/// As [`made`], for what is shown once: keeps the id alone.
pub(crate) fn made_secret(change: &mut Change, of: impl std::fmt::Display) -> Result<()> {
    let shown_once = of.to_string();
    made(change, &ShownOnce { shown_once })
}

/// A key of the same principal that may do less must not be told what another one was answered.
fn who(caller: &Caller) -> String {
    match caller.via() {
        Via::ApiKey(key) => format!("{}/{key}", caller.principal()),
        Via::Transfer(transfer) => format!("{}/{transfer}", caller.principal()),
        Via::Schedule { schedule, .. } => format!("{}/{schedule}", caller.principal()),
        Via::Flow { run, .. } => format!("{}/{run}", caller.principal()),
    }
}

pub(crate) fn in_progress() -> Error {
    Error::new(
        ErrorKind::IdempotencyKeyInProgress,
        "The same request is under way.",
    )
    .retry_after(1)
}
