use bailee_model::{
    Delivery, DeliveryId, Entry, EntryKind, EventType, FileId, FolderPath, PageRequest, Result,
    SealedEntry, TenantId, Webhook, WebhookOrdering, WebhookPayload, WebhookState, limit,
};
use bailee_store::{DbError, EventFilter, Reader};

use super::{Upkeep, in_each};
use crate::events::body_of;
use crate::{error, event_body};

/// Most events handed to webhooks in one transaction.
const DISPATCH_STEP: u32 = 200;
/// Most deliveries made in one transaction: each takes two statements of a script.
const DELIVERIES_MAX: usize = 1000;

impl Upkeep<'_> {
    /// Hands sealed events to webhooks: deliveries and their jobs, and the cursor, in one transaction. How many
    /// entries were read.
    pub async fn dispatch_events(&self) -> Result<u64> {
        let lagging = self
            .core
            .store
            .queue()
            .lagging("webhooks")
            .await
            .map_err(error::from_db)?;
        let step = |tenant, span| self.dispatch_tenant(tenant, span);
        Ok(in_each("dispatch", lagging, step).await)
    }

    async fn dispatch_tenant(&self, tenant: TenantId, (cursor, size): (u64, u64)) -> Result<u64> {
        let queue = self.core.store.queue();
        let reader = queue.reader(tenant);
        // Asked first: where nobody listens, no event needs to be read. A webhook that is made meanwhile is younger than
        // all of them.
        let webhooks = enabled_webhooks(&reader).await?;
        let events = if webhooks.is_empty() {
            Vec::new()
        } else {
            reader
                .events_after(cursor, &EventFilter::default(), DISPATCH_STEP)
                .await
                .map_err(error::from_db)?
        };
        let is_last = events.len() < DISPATCH_STEP as usize;
        let newest = events.last().map_or(size, |event| event.sequence);
        let mut to = if is_last { size } else { newest };
        let mut change = queue.change(tenant);
        let mut room = DELIVERIES_MAX;
        let mut before = cursor;
        for event in events.iter().filter(|event| event.sequence <= to) {
            let mut wanting: Vec<&Webhook> = Vec::new();
            for webhook in &webhooks {
                if is_for(&reader, event, webhook).await? {
                    wanting.push(webhook);
                }
            }
            wanting.truncate(DELIVERIES_MAX);
            if wanting.len() > room {
                to = before;
                break;
            }
            let wants_object = |webhook: &&Webhook| webhook.payload == WebhookPayload::Full;
            let object = if wanting.iter().any(wants_object) {
                self.core.object_of(&reader, event).await?
            } else {
                None
            };
            for webhook in &wanting {
                let delivery = self.delivery(tenant, event, webhook, object.as_ref());
                self.core.schedule(&mut change, &delivery);
            }
            room -= wanting.len();
            before = event.sequence;
        }
        change.move_cursor("webhooks", cursor, to.max(cursor));
        match change.commit().await {
            Ok(()) => Ok(to.saturating_sub(cursor)),
            Err(DbError::Conflict(_)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
    }

    /// The first try to hand an event to a webhook; with the object that it is about where the webhook wants that.
    pub(crate) fn delivery(
        &self,
        tenant: TenantId,
        event: &SealedEntry,
        webhook: &Webhook,
        object: Option<&serde_json::Value>,
    ) -> Delivery {
        let mut body = event_body(tenant, event);
        if let (WebhookPayload::Full, Some(data)) = (webhook.payload, body.get_mut("data"))
            && let Some(data) = data.as_object_mut()
        {
            data.insert("object".to_owned(), object.cloned().unwrap_or_default());
        }
        let now = self.core.clock.now();
        let id = DeliveryId::new(now, &*self.core.chance);
        let is_ordered = webhook.ordering == WebhookOrdering::Subject;
        Delivery {
            event: event.entry.event_id(),
            event_type: match event.entry.kind {
                EntryKind::Event(kind) => kind,
                EntryKind::Record => EventType::Ping,
            },
            body: body_of(webhook.format, body).to_string(),
            sequence: event.sequence,
            subject: is_ordered.then(|| subject(&event.entry)),
            ..Delivery::scheduled(id, webhook, now)
        }
    }
}

async fn enabled_webhooks(reader: &Reader) -> Result<Vec<Webhook>> {
    let mut webhooks: Vec<Webhook> = Vec::new();
    let mut page = PageRequest {
        limit: limit::PAGE_MAX,
        after: None,
    };
    loop {
        let mut found = reader.webhooks(&page).await.map_err(error::from_db)?;
        found
            .data
            .retain(|webhook| webhook.state == WebhookState::Enabled);
        webhooks.append(&mut found.data);
        page.after = found.next;
        if page.after.is_none() {
            return Ok(webhooks);
        }
    }
}

/// What an event is about, so that its order can be kept: the transfer, the path whatever file is there, or the thing.
fn subject(entry: &Entry) -> String {
    let transfer = entry.transfer.map(|id| id.to_string());
    let subject = &entry.subject;
    let found = transfer.or_else(|| subject.path.clone());
    found.or_else(|| subject.id.clone()).unwrap_or_default()
}

/// Whether an event is for a webhook: its type, and the path, remote and tag that the webhook is bound to.
pub(crate) async fn is_for(
    reader: &Reader,
    event: &SealedEntry,
    webhook: &Webhook,
) -> Result<bool> {
    let entry = &event.entry;
    let EntryKind::Event(kind) = entry.kind else {
        return Ok(false);
    };
    if !webhook.wants(kind) || entry.timestamp < webhook.created_at {
        return Ok(false);
    }
    let is_within = webhook.path_prefix.as_ref().is_none_or(|prefix| {
        let path = entry.subject.path.as_ref();
        let path = path.and_then(|path| path.parse::<FolderPath>().ok());
        path.is_some_and(|path| path.is_within(prefix))
    });
    if !is_within || (webhook.remote.is_none() && webhook.tag.is_none()) {
        return Ok(is_within);
    }
    let data: serde_json::Value = serde_json::from_str(&entry.data).unwrap_or_default();
    let text = |name: &str| data.get(name).and_then(|value| value.as_str());
    let is_at = webhook.remote.as_ref().is_none_or(|remote| {
        if text("remote") == Some(remote.as_str()) {
            return true; // about the remote itself
        }
        let mut ends = ["source", "destination"].iter();
        // A path in Bailee begins with `/` and a file's id holds no colon.
        ends.any(|end| {
            text(end)
                .and_then(|end| end.split_once(':'))
                .map(|end| end.0)
                == Some(remote.as_str())
        })
    });
    let (true, Some(tag)) = (is_at, &webhook.tag) else {
        return Ok(is_at);
    };
    let file = text("file_id").and_then(|id| id.parse::<FileId>().ok());
    let Some(file) = file else { return Ok(false) };
    let file = reader.file(file).await.map_err(error::from_db)?;
    Ok(file.is_some_and(|file| file.tags.contains(tag)))
}
