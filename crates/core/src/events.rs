//! The journal as a feed.

use std::time::Duration;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    AuditId, EntryKind, Error, ErrorKind, EventId, EventType, FolderPath, Result, SealedEntry,
    TenantId, Timestamp, WebhookFormat, limit,
};
use bailee_store::{EventFilter, Reader};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::gate::Ask;
use crate::{Core, error, transfers};

/// How often a held reader looks whether this node stops.
const DRAIN_LOOK: Duration = Duration::from_secs(1);

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
    /// Only about things in this folder and below.
    pub path: Option<FolderPath>,
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
    pub async fn read(&self, caller: &Caller, mut query: EventQuery) -> Result<EventPage> {
        let permit = self.enter(caller, "events.list").await?;
        if let Some(after) = query.after {
            self.check_kept(&permit, after).await?;
        }
        let mut changes = self.core.changes();
        let deadline = Instant::now() + query.wait.min(limit::WAIT_MAX);
        let filter = EventFilter {
            types: std::mem::take(&mut query.types),
            path: query.path.take(),
        };
        loop {
            changes.borrow_and_update();
            let page = self.page(caller, &permit, (&query, &filter)).await?;
            let is_over =
                !page.events.is_empty() || query.after.is_none() || self.core.is_draining();
            if is_over || Instant::now() >= deadline {
                return Ok(page);
            }
            // What was read and is not for this caller is not read again.
            query.after = Some(page.next_after);
            if !page.has_more {
                self.changed(&mut changes, deadline).await;
            }
        }
    }

    /// One event. A foreign one, and a record that is not published, are not found.
    pub async fn get(&self, caller: &Caller, id: EventId) -> Result<SealedEntry> {
        let permit = self.enter(caller, "events.get").await?;
        let reader = self.core.store.reader(&permit);
        let found = reader.entry(AuditId::from_bits(id.bits())).await;
        let found = found.map_err(error::from_db)?;
        let published = found.filter(|found| matches!(found.entry.kind, EntryKind::Event(_)));
        let mut seen = shown(caller, &reader, published.into_iter().collect()).await?;
        seen.pop().ok_or_else(|| Error::not_found("event"))
    }

    async fn enter(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        let ask = Ask {
            operation,
            action: Action::EventRead,
            resource: &Resource::Tenant,
            what: "event",
        };
        self.core.enter(caller, ask).await
    }

    /// Refuses to go on where events are no longer kept: whoever stood still for so long must know that it missed some.
    async fn check_kept(&self, permit: &Permit, after: u64) -> Result<()> {
        let reader = self.core.store.reader(permit);
        let next = reader.walk(after, 1).await.map_err(error::from_db)?;
        let kept = self.core.settings.events_kept;
        let oldest_kept = self.core.clock.now().minus(kept);
        let is_kept = |sealed: &SealedEntry| sealed.entry.timestamp >= oldest_kept;
        if next.iter().all(|(sealed, _)| is_kept(sealed)) {
            return Ok(());
        }
        let first = AuditId::from_bits(bits_from(oldest_kept));
        let oldest = reader.first_from(first).await.map_err(error::from_db)?;
        let head = reader.journal_head().await.map_err(error::from_db)?;
        let oldest = oldest.unwrap_or_else(|| head.map_or(0, |head| head.size) + 1);
        let seconds = kept.as_secs();
        let detail =
            format!("The feed goes back {seconds} seconds; events behind this number are older.");
        Err(Error::new(ErrorKind::EventsExpired, detail).with("oldest_sequence", oldest))
    }

    /// Waits for a commit, the deadline or the stop of this node.
    async fn changed(&self, changes: &mut watch::Receiver<u64>, deadline: Instant) {
        while Instant::now() < deadline && !self.core.is_draining() {
            let until = deadline.min(Instant::now() + DRAIN_LOOK);
            if tokio::time::timeout_at(until, changes.changed())
                .await
                .is_ok()
            {
                return tokio::time::sleep(limit::WAIT_REST).await;
            }
        }
    }

    async fn page(
        &self,
        caller: &Caller,
        permit: &Permit,
        (query, filter): (&EventQuery, &EventFilter),
    ) -> Result<EventPage> {
        let reader = self.core.store.reader(permit);
        let wanted = query.limit.min(limit::PAGE_MAX);
        // Read first: whatever is sealed by now is seen by what follows.
        let head = reader.journal_head().await.map_err(error::from_db)?;
        let sealed = head.map_or(0, |head| head.size);
        let mut events = match query.after {
            Some(after) => reader.events_after(after, filter, wanted + 1).await,
            None => reader.newest_events(filter, wanted).await,
        }
        .map_err(error::from_db)?;
        let has_more = events.len() > wanted as usize;
        events.truncate(wanted as usize);
        let last = events.last().map_or(0, |event| event.sequence);
        let next_after = if has_more {
            last
        } else {
            last.max(sealed).max(query.after.unwrap_or(0))
        };
        Ok(EventPage {
            events: shown(caller, &reader, events).await?,
            next_after,
            has_more,
        })
    }
}

/// The smallest bits of an id that was made at `time`.
fn bits_from(time: Timestamp) -> u128 {
    u128::from(u64::try_from(time.ms()).unwrap_or(0)) << 80
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
        path.parse::<FolderPath>().is_ok_and(|path| {
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

impl Core {
    /// The file or transfer that an event is about, as the API shows it now; none if it is about neither, or is gone.
    pub(crate) async fn object_of(
        &self,
        reader: &Reader,
        event: &SealedEntry,
    ) -> Result<Option<serde_json::Value>> {
        let Some(view) = self.view.get() else {
            return Ok(None);
        };
        if let Some(id) = event.entry.transfer
            && event.entry.kind.as_str().starts_with("transfer.")
        {
            let found = reader.transfer(id).await.map_err(error::from_db)?;
            return Ok(found.map(|transfer| view.transfer(&transfer)));
        }
        let data: serde_json::Value = serde_json::from_str(&event.entry.data).unwrap_or_default();
        let id = data.get("file_id").and_then(|id| id.as_str());
        let Some(id) = id.and_then(|id| id.parse().ok()) else {
            return Ok(None);
        };
        let found = reader.file(id).await.map_err(error::from_db)?;
        Ok(found.map(|file| view.file(&file)))
    }
}

/// An event in the shape that a webhook wants.
pub(crate) fn body_of(format: WebhookFormat, event: serde_json::Value) -> serde_json::Value {
    match format {
        WebhookFormat::Bailee => event,
        WebhookFormat::Cloudevents => cloud_event(&event),
    }
}

/// An event as CloudEvents 1.0 in structured mode. Attributes that would be empty are left out, as it demands.
fn cloud_event(event: &serde_json::Value) -> serde_json::Value {
    let text = |name: &str| event.get(name).and_then(|value| value.as_str());
    let mut cloud = serde_json::json!({
        "specversion": "1.0",
        "id": text("event_id"),
        "source": format!("/tenants/{}", text("tenant_id").unwrap_or_default()),
        "type": format!("bailee.{}", text("type").unwrap_or_default()),
        "time": text("timestamp"),
        "datacontenttype": "application/json",
        "data": event.get("data"),
    });
    let subject = ["transfer_id", "file_id", "webhook_id"];
    let subject = subject.iter().find_map(|name| text(name));
    let sequence = event.get("sequence").map(ToString::to_string);
    if let Some(cloud) = cloud.as_object_mut() {
        let more = [("subject", subject), ("sequence", sequence.as_deref())];
        let more = more.into_iter();
        cloud.extend(more.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
    }
    cloud
}

fn with_path(mut data: serde_json::Value, path: Option<&str>) -> serde_json::Value {
    if let (Some(object), Some(path)) = (data.as_object_mut(), path) {
        object.insert("path".to_owned(), path.into());
    }
    data
}
