use bailee_api::{Event, EventFeed};
use bailee_model::EventId;

use super::resource;
use crate::call::Call;
use crate::{EventStream, Result};

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

impl EventQuery {
    pub(crate) fn call(&self, path: &str) -> Call {
        let types = self.types.join(",");
        Call::get(path)
            .maybe("after", self.after)
            .maybe("type", (!types.is_empty()).then_some(types))
            .maybe("path_prefix", self.path_prefix.as_ref())
            .maybe("limit", self.limit)
            .maybe("wait", self.wait_seconds)
    }
}

impl Events<'_> {
    /// Events, oldest first.
    pub async fn list(&self, query: &EventQuery) -> Result<EventFeed> {
        self.0.json(query.call("/events")).await
    }

    /// Events as they happen: those after `after`, or from now on. `limit` and `wait_seconds` are of no use to it.
    pub async fn follow(&self, query: EventQuery) -> Result<EventStream> {
        let after = match query.after {
            Some(after) => after,
            None => self.newest(&query).await?,
        };
        Ok(EventStream::new(self.0.clone(), query, after))
    }

    /// Where the feed stands now. Asked before a stream is opened: one that is lost at once would not know where it began.
    async fn newest(&self, query: &EventQuery) -> Result<u64> {
        let query = EventQuery {
            limit: Some(1),
            wait_seconds: None,
            ..query.clone()
        };
        Ok(self.list(&query).await?.next_after.unwrap_or(0))
    }

    /// One of them.
    pub async fn get(&self, event: EventId) -> Result<Event> {
        self.0.json(Call::get(format!("/events/{event}"))).await
    }
}
