use std::collections::VecDeque;
use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use bailee_core::{Caller, Core, EventPage, EventQuery, event_body};
use bailee_model::{Error, ErrorKind, EventType, SealedEntry, limit};
use futures::{Stream, stream as streams};
use http::HeaderMap;
use serde::Deserialize;

use super::{sequence, wanted_types};
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Query;
use crate::limit::STREAM_PING;

/// Which events.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// Only after this sequence; from now on when absent. `Last-Event-ID` outranks it.
    after: Option<u64>,
    /// Only of these types: `file.uploaded`, `transfer.*`, several with commas.
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Follow the event feed as server-sent events
///
/// `id:` is the sequence, `data:` the event object; `Last-Event-ID` resumes.
#[utoipa::path(get, path = "/events/stream", operation_id = "events.stream", tag = "events", params(StreamQuery),
    responses((status = 200, description = "Events as they happen", content_type = "text/event-stream")))]
pub(crate) async fn stream(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let types = wanted_types(query.kind.as_deref())?;
    let after = last_event_id(&headers)?.or(sequence(query.after)?);
    // The first look is made before the answer begins, so that a refusal is one.
    let follower = Follower::begin(core, caller.0, types, after).await?;
    let alive = KeepAlive::new().interval(STREAM_PING);
    Ok(Sse::new(events(follower)).keep_alive(alive).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let parsed = value.to_str().ok().and_then(|text| text.parse().ok());
    parsed.map(Some).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidParameter,
            "`Last-Event-ID` is a sequence of this feed.",
        )
    })
}

/// Where a stream is in the feed.
struct Follower {
    core: Core,
    caller: Caller,
    types: Vec<EventType>,
    after: u64,
    held: VecDeque<SealedEntry>,
}

impl Follower {
    async fn begin(
        core: Core,
        caller: Caller,
        types: Vec<EventType>,
        after: Option<u64>,
    ) -> Result<Self, Error> {
        let query = EventQuery {
            after,
            types: types.clone(),
            limit: limit::PAGE_DEFAULT,
            ..EventQuery::default()
        };
        let page = core.events().read(&caller, query).await?;
        let held = if after.is_some() {
            page.events.into()
        } else {
            VecDeque::new()
        };
        Ok(Self {
            core,
            caller,
            types,
            after: page.next_after,
            held,
        })
    }

    async fn next(&mut self) -> Option<SealedEntry> {
        loop {
            if let Some(event) = self.held.pop_front() {
                return Some(event);
            }
            if self.core.is_draining() {
                return None;
            }
            // A failure ends the stream; the client comes back with the last id it saw.
            let page = self.look().await.ok()?;
            self.after = page.next_after;
            self.held = page.events.into();
        }
    }

    async fn look(&self) -> Result<EventPage, Error> {
        let query = EventQuery {
            after: Some(self.after),
            types: self.types.clone(),
            limit: limit::PAGE_MAX,
            wait: STREAM_PING,
        };
        self.core.events().read(&self.caller, query).await
    }
}

fn events(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    streams::unfold(follower, |mut follower| async move {
        let sealed = follower.next().await?;
        let body = event_body(follower.caller.tenant(), &sealed);
        let event = Event::default()
            .id(sealed.sequence.to_string())
            .data(body.to_string());
        Some((Ok(event), follower))
    })
}
