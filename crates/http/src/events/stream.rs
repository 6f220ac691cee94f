use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use bailee_core::{Caller, Core, EventPage, EventQuery, event_body};
use bailee_model::{Error, ErrorKind, SealedEntry};
use futures::{Stream, stream as streams};
use http::HeaderMap;
use serde::Deserialize;

use super::{sequence, wanted_types};
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Query, folder_path_or_none};
use crate::limit::STREAM_PING;

/// Most events that a stream has in memory: a reader that is slow holds up only what it did not ask for yet.
const STREAM_EVENTS_HELD_MAX: u32 = 50;

/// Which events.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// Only after this sequence; from now on when absent. `Last-Event-ID` outranks it.
    after: Option<u64>,
    /// Only of these types: `file.uploaded`, `transfer.*`, several with commas.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only about things in this folder and below.
    #[param(example = "/reports")]
    path_prefix: Option<String>,
}

/// Follow the event feed as server-sent events
///
/// `id:` is the sequence, `data:` the event object; `Last-Event-ID` resumes. An `id:` alone tells how far the feed was read
/// without an event for this stream.
#[utoipa::path(get, path = "/events/stream", operation_id = "events.stream", tag = "events", params(StreamQuery),
    responses((status = 200, description = "Events as they happen", content_type = "text/event-stream")))]
pub(crate) async fn stream(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let wanted = EventQuery {
        after: last_event_id(&headers)?.or(sequence(query.after)?),
        types: wanted_types(query.kind.as_deref())?,
        path: folder_path_or_none(query.path_prefix.as_deref())?,
        limit: STREAM_EVENTS_HELD_MAX,
        wait: Duration::ZERO,
    };
    // The first look is made before the answer begins, so that a refusal is one.
    let follower = Follower::begin(core, caller.0, wanted).await?;
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

/// What a stream says.
enum Word {
    Event(Box<SealedEntry>),
    /// Nothing up to this sequence is for this reader: whoever comes back need not begin before it, where events may
    /// be kept no longer.
    Position(u64),
}

/// Where a stream is in the feed. It reads on only when its reader has taken what it holds.
struct Follower {
    core: Core,
    caller: Caller,
    query: EventQuery,
    held: VecDeque<Word>,
}

impl Follower {
    async fn begin(core: Core, caller: Caller, query: EventQuery) -> Result<Self, Error> {
        let mut page = core.events().read(&caller, query.clone()).await?;
        if query.after.is_none() {
            // Without a place to begin, what was there before is not told.
            page.events.clear();
        }
        let mut follower = Self {
            core,
            caller,
            query,
            held: VecDeque::new(),
        };
        follower.hold(page);
        follower.query.wait = STREAM_PING;
        Ok(follower)
    }

    fn hold(&mut self, page: EventPage) {
        let told = page.events.last().map(|event| event.sequence);
        let told = told.or(self.query.after);
        let position = (told != Some(page.next_after)).then_some(page.next_after);
        self.query.after = Some(page.next_after);
        let events = page.events.into_iter().map(Box::new).map(Word::Event);
        self.held.extend(events);
        self.held.extend(position.map(Word::Position));
    }

    async fn next(&mut self) -> Option<Word> {
        loop {
            if let Some(word) = self.held.pop_front() {
                return Some(word);
            }
            if self.core.is_draining() {
                return None;
            }
            // A failure ends the stream; the client comes back with the last id it saw.
            let events = self.core.events();
            let page = events.read(&self.caller, self.query.clone()).await.ok()?;
            self.hold(page);
        }
    }
}

fn events(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    streams::unfold(follower, |mut follower| async move {
        let event = match follower.next().await? {
            Word::Event(sealed) => {
                let body = event_body(follower.caller.tenant(), &sealed);
                Event::default()
                    .id(sealed.sequence.to_string())
                    .data(body.to_string())
            }
            Word::Position(sequence) => Event::default().id(sequence.to_string()),
        };
        Some((Ok(event), follower))
    })
}
