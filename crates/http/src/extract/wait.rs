use std::time::Duration;

use axum::extract::{FromRequestParts, Query as Loose};
use bailee_core::Core;
use bailee_model::{Error, ErrorKind, limit};
use http::request::Parts;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use utoipa::IntoParams;

use crate::limit::POLL_AGAIN;
use crate::problem::Failure;

/// `?wait=`
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// Seconds for which the answer is held until something changes, up to 60.
    #[param(minimum = 0, maximum = 60)]
    pub(crate) wait: Option<u64>,
}

/// How long an answer may be held.
pub(crate) struct Wait(pub(crate) Duration);

impl<S: Sync> FromRequestParts<S> for Wait {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let asked = Loose::<WaitQuery>::try_from_uri(&parts.uri)
            .ok()
            .map(|Loose(query)| Duration::from_secs(query.wait.unwrap_or(0)))
            .filter(|wait| *wait <= limit::WAIT_MAX);
        asked.map(Self).ok_or_else(|| {
            let detail = "`wait` is a number of seconds from 0 to 60.";
            Error::new(ErrorKind::InvalidParameter, detail)
                .with_field("#/wait", "out_of_range", detail)
                .into()
        })
    }
}

/// Looks at once, after every commit on this node and now and then, until `look` finds something or time is up. The
/// last look counts.
pub(crate) async fn until_changed<T, F>(
    core: &Core,
    wait: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<(T, bool), Error>>,
{
    let end = Instant::now() + wait;
    let mut changes = core.changes();
    loop {
        changes.borrow_and_update();
        let (found, is_news) = look().await?;
        if is_news || Instant::now() >= end || core.is_draining() {
            return Ok(found);
        }
        let next = end.min(Instant::now() + POLL_AGAIN);
        // A closed channel means that the store is gone; the next look says so.
        let _ = timeout_at(next, changes.changed()).await;
    }
}
