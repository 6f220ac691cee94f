use bailee_api::{Event, EventFeed};
use bailee_model::EventId;

use super::resource;
use crate::Result;
use crate::call::Call;

resource! {
    /// Events: what happened, in order.
    Events, events
}

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Those after this sequence; without it the newest.
    pub after: Option<u64>,
    /// Those of these types; all when empty.
    pub types: Vec<String>,
    /// Those about things in this folder and below.
    pub path_prefix: Option<String>,
    /// At most so many, up to 500.
    pub limit: Option<u32>,
    /// Hold the answer for at most so many seconds (60) when there is nothing yet.
    pub wait_seconds: Option<u64>,
}

impl Events<'_> {
    /// Events, oldest first.
    pub async fn list(&self, query: &EventQuery) -> Result<EventFeed> {
        let types = query.types.join(",");
        let call = Call::get("/events")
            .maybe("after", query.after)
            .maybe("type", (!types.is_empty()).then_some(types))
            .maybe("path_prefix", query.path_prefix.as_ref())
            .maybe("limit", query.limit)
            .maybe("wait", query.wait_seconds);
        self.0.json(call).await
    }

    /// One of them.
    pub async fn get(&self, event: EventId) -> Result<Event> {
        self.0.json(Call::get(format!("/events/{event}"))).await
    }
}
