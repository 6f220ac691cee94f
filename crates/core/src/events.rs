//! The journal as a feed.

use std::time::Duration;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{EventType, Result, SealedEntry, TenantId, limit};
use bailee_store::Reader;

use crate::gate::Ask;
use crate::{Core, error, transfers};

/// The events of the caller's tenant.
pub struct Events<'a> {
    pub(crate) core: &'a Core,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// After this sequence; `None` is the newest ones.
    pub after: Option<u64>,
    /// Only of these types; empty is all.
    pub types: Vec<EventType>,
    /// How many at most.
    pub limit: u32,
    /// How long to wait for one when there is none.
    pub wait: Duration,
}

/// Some events, and where the next begin.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<SealedEntry>,
    /// Ask for what is after this next.
    pub next_after: u64,
    /// Whether there are more already.
    pub has_more: bool,
}

impl Events<'_> {
    /// Events after a sequence, oldest first; without one, the newest. Holds the answer up to `wait` when there is
    /// none. Numbers may skip: a caller sees only what it may read.
    pub async fn read(&self, caller: &Caller, query: EventQuery) -> Result<EventPage> {
        let ask = Ask {
            operation: "events.list",
            action: Action::EventRead,
            resource: &Resource::Tenant,
            what: "event",
        };
        let permit = self.core.enter(caller, ask).await?;
        let mut changes = self.core.changes();
        let deadline = tokio::time::Instant::now() + query.wait.min(limit::WAIT_MAX);
        loop {
            changes.borrow_and_update();
            let page = self.page(caller, &permit, &query).await?;
            let is_over =
                !page.events.is_empty() || query.after.is_none() || self.core.is_draining();
            if is_over
                || tokio::time::timeout_at(deadline, changes.changed())
                    .await
                    .is_err()
            {
                return Ok(page);
            }
            tokio::time::sleep(limit::WAIT_REST).await;
        }
    }

    async fn page(
        &self,
        caller: &Caller,
        permit: &Permit,
        query: &EventQuery,
    ) -> Result<EventPage> {
        let reader = self.core.store.reader(permit);
        let wanted = query.limit.min(limit::PAGE_MAX);
        let mut events = match query.after {
            Some(after) => reader.events_after(after, &query.types, wanted + 1).await,
            None => reader.newest_events(&query.types, wanted).await,
        }
        .map_err(error::from_db)?;
        let has_more = events.len() > wanted as usize;
        events.truncate(wanted as usize);
        let last = events.last().map(|event| event.sequence);
        let next_after = match (last, query.after) {
            (Some(last), _) => last,
            (None, Some(after)) => after,
            (None, None) => reader
                .journal_head()
                .await
                .map_err(error::from_db)?
                .map_or(0, |head| head.size),
        };
        Ok(EventPage {
            events: shown(caller, &reader, events).await?,
            next_after,
            has_more,
        })
    }
}

/// What of some entries a caller may see: a key that is bound to paths sees what is about them, and what it did.
pub(crate) async fn shown(
    caller: &Caller,
    reader: &Reader,
    entries: Vec<SealedEntry>,
) -> Result<Vec<SealedEntry>> {
    if caller.path_prefixes().is_empty() {
        return Ok(entries);
    }
    let mut shown = Vec::with_capacity(entries.len());
    for entry in entries {
        if shows(caller, &entry) && is_of_own_transfer(caller, reader, &entry).await? {
            shown.push(entry);
        }
    }
    Ok(shown)
}

/// Whether an event is about no transfer, about a path, or about a transfer that the caller's key may see: what another
/// key of the same principal moves may lie outside of its folders.
async fn is_of_own_transfer(caller: &Caller, reader: &Reader, event: &SealedEntry) -> Result<bool> {
    let (Some(id), None) = (event.entry.transfer, &event.entry.subject.path) else {
        return Ok(true);
    };
    let transfer = reader.transfer(id).await.map_err(error::from_db)?;
    Ok(transfer.is_some_and(|transfer| transfers::is_shown(caller, &transfer)))
}

/// Whether an entry is about a path of the caller's, or about none and its own.
fn shows(caller: &Caller, sealed: &SealedEntry) -> bool {
    let is_within = |path: &String| {
        path.parse::<bailee_model::FolderPath>().is_ok_and(|path| {
            caller
                .path_prefixes()
                .iter()
                .any(|prefix| path.is_within(prefix))
        })
    };
    match &sealed.entry.subject.path {
        Some(path) => is_within(path),
        None => sealed.entry.principal == Some(caller.principal()),
    }
}

/// An event as every consumer gets it: webhook body, feed entry and stream data are the same object. The subject's
/// id and its status are repeated at the top.
pub fn event_body(tenant: TenantId, sealed: &SealedEntry) -> serde_json::Value {
    let entry = &sealed.entry;
    let data: serde_json::Value = serde_json::from_str(&entry.data).unwrap_or_default();
    let text = |name: &str| {
        data.get(name)
            .filter(|value| value.is_string())
            .cloned()
            .unwrap_or_default()
    };
    let status = match text("state") {
        serde_json::Value::Null => serde_json::Value::from(entry.status.as_str()),
        state => state,
    };
    serde_json::json!({
        "type": entry.kind.as_str(),
        "timestamp": entry.timestamp,
        "event_id": entry.event_id(),
        "tenant_id": tenant,
        "sequence": sealed.sequence,
        "transfer_id": entry.transfer,
        "file_id": text("file_id"),
        "webhook_id": text("webhook_id"),
        "status": status,
        "data": with_path(data, entry.subject.path.as_deref()),
    })
}

fn with_path(mut data: serde_json::Value, path: Option<&str>) -> serde_json::Value {
    if let (Some(object), Some(path)) = (data.as_object_mut(), path) {
        object.insert("path".to_owned(), path.into());
    }
    data
}
