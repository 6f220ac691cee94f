use bailee_model::{
    Delivery, DeliveryId, DeliveryState, Entry, EntryKind, EventType, PageRequest, Result,
    SealedEntry, TenantId, Webhook, WebhookState, limit,
};
use bailee_store::{DbError, Reader};

use super::{Upkeep, tell};
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
        let mut read = 0;
        for (tenant, cursor, size) in lagging {
            match self.dispatch_tenant(tenant, cursor, size).await {
                Ok(count) => read += count,
                Err(error) => tell("dispatch", tenant, &error),
            }
        }
        Ok(read)
    }

    async fn dispatch_tenant(&self, tenant: TenantId, cursor: u64, size: u64) -> Result<u64> {
        let queue = self.core.store.queue();
        let reader = queue.reader(tenant);
        // Asked first: where nobody listens, no event needs to be read. A webhook that is made meanwhile is younger than
        // all of them.
        let webhooks = enabled_webhooks(&reader).await?;
        let events = if webhooks.is_empty() {
            Vec::new()
        } else {
            reader
                .events_after(cursor, &[], DISPATCH_STEP)
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
            let wanting = webhooks.iter().filter(|webhook| is_for(event, webhook));
            let wanting: Vec<&Webhook> = wanting.take(DELIVERIES_MAX).collect();
            if wanting.len() > room {
                to = before;
                break;
            }
            for webhook in &wanting {
                self.core
                    .schedule(&mut change, &self.delivery(tenant, event, webhook));
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

    fn delivery(&self, tenant: TenantId, event: &SealedEntry, webhook: &Webhook) -> Delivery {
        let now = self.core.clock.now();
        Delivery {
            id: DeliveryId::new(now, &*self.core.chance),
            webhook: webhook.id,
            event: event.entry.event_id(),
            event_type: match event.entry.kind {
                EntryKind::Event(kind) => kind,
                EntryKind::Record => EventType::Ping,
            },
            body: event_body(tenant, event).to_string(),
            attempt: 1,
            state: DeliveryState::Scheduled,
            scheduled_at: now,
            sent_at: None,
            duration_ms: None,
            answer_status: None,
            answer_body: None,
            error: None,
            created_at: now,
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

/// Whether an event is for a webhook: its type, and its path where the webhook is bound to one.
fn is_for(event: &SealedEntry, webhook: &Webhook) -> bool {
    let Entry {
        kind: EntryKind::Event(kind),
        subject,
        ..
    } = &event.entry
    else {
        return false;
    };
    if webhook.state != WebhookState::Enabled
        || !webhook.wants(*kind)
        || event.entry.timestamp < webhook.created_at
    {
        return false;
    }
    webhook.path_prefix.as_ref().is_none_or(|prefix| {
        let path = subject
            .path
            .as_ref()
            .and_then(|path| path.parse::<bailee_model::FolderPath>().ok());
        path.is_some_and(|path| path.is_within(prefix))
    })
}
