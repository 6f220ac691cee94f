use bailee_model::{
    Channel, ChannelTarget, End, Entry, EventType, FileId, FilePath, Publication, PublicationState,
    Result, SealedEntry, Subscriber, SubscriberId, TenantId, Transfer, TransferId, WebhookPayload,
    WebhookState, limit,
};
use bailee_store::{Change, DbError, EventFilter, Reader};

use super::{Upkeep, in_each};
use crate::error;
use crate::journal::Note;
use crate::transfers::{NewTransfer, Transfers, transfer_facts};

/// Most arrivals read in one transaction.
const ARRIVALS_STEP: u32 = 200;
/// Most publications made in one transaction.
const PUBLISH_STEP: usize = 1000;
/// Most subscribers served in one round.
const OWING_STEP: u32 = 500;
/// Most files handed on to a subscriber in one transaction: each takes four statements or so.
const HAND_ON_STEP: u32 = 50;

impl Upkeep<'_> {
    /// Notes for each subscriber what arrived in its channel, and hands on what waits: transfers, deliveries and their
    /// jobs. How much was done.
    pub async fn publish_arrivals(&self) -> Result<u64> {
        let queue = self.core.store.queue();
        let lagging = queue.lagging_channels().await.map_err(error::from_db)?;
        let read = |tenant, span| self.read_arrivals(tenant, span);
        let read = in_each("channels", lagging, read).await;
        let owing = queue.owing(OWING_STEP).await.map_err(error::from_db)?;
        let hand_on = |tenant, subscriber| self.hand_on(tenant, subscriber);
        Ok(read + in_each("channels", owing, hand_on).await)
    }

    async fn read_arrivals(&self, tenant: TenantId, (cursor, size): (u64, u64)) -> Result<u64> {
        let queue = self.core.store.queue();
        let reader = queue.reader(tenant);
        let subscribers = everybody(&reader).await?;
        let filter = EventFilter {
            types: vec![EventType::FileUploaded],
            ..EventFilter::default()
        };
        let events = reader.events_after(cursor, &filter, ARRIVALS_STEP).await;
        let events = events.map_err(error::from_db)?;
        let is_last = events.len() < ARRIVALS_STEP as usize;
        let newest = events.last().map_or(size, |event| event.sequence);
        let mut to = if is_last { size } else { newest };
        let mut change = queue.change(tenant);
        let (mut room, mut before) = (PUBLISH_STEP, cursor);
        for event in events.iter().filter(|event| event.sequence <= to) {
            let found = publications(&reader, event, &subscribers).await?;
            // One event alone always has room: a tenant's subscribers are bounded.
            if found.len() > room && before > cursor {
                to = before;
                break;
            }
            for publication in &found {
                change.publish(publication);
            }
            room = room.saturating_sub(found.len());
            before = event.sequence;
        }
        change.move_cursor("channels", cursor, to.max(cursor));
        match change.commit().await {
            Ok(()) => Ok(to.saturating_sub(cursor)),
            Err(DbError::Conflict(_)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
    }

    /// Hands on what waits for a subscriber, in the order of arrival.
    async fn hand_on(&self, tenant: TenantId, id: SubscriberId) -> Result<u64> {
        let queue = self.core.store.queue();
        let reader = queue.reader(tenant);
        let found = reader.subscriber_in_channel(id).await;
        let Some((channel, subscriber)) = found.map_err(error::from_db)? else {
            return Ok(0);
        };
        let waiting = reader.waiting(id, HAND_ON_STEP).await;
        let waiting = waiting.map_err(error::from_db)?;
        let mut change = queue.change(tenant);
        for publication in &waiting {
            let mut sent = Publication {
                sent_at: Some(self.core.clock.now()),
                transfer: None,
                webhook: None,
                ..publication.clone()
            };
            match &subscriber.target {
                ChannelTarget::Webhook { webhook } => {
                    sent.webhook = Some(*webhook);
                    self.tell_webhook(&mut change, &reader, &sent).await?;
                }
                target => {
                    if let Some(end) = destination(target, &publication.path) {
                        let new = order(&channel, &subscriber, (publication.file, end));
                        sent.transfer = Some(self.send(&mut change, &subscriber, new));
                    }
                }
            }
            change.send_publication(&sent);
        }
        match change.commit().await {
            Ok(()) => Ok(waiting.len() as u64),
            Err(DbError::Conflict(_)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
    }

    /// Queues a transfer. Policy is asked when it runs, with the rights that its principal has then.
    fn send(&self, change: &mut Change, subscriber: &Subscriber, new: NewTransfer) -> TransferId {
        let transfers = Transfers { core: self.core };
        let who = (subscriber.acts_for, subscriber.acts_with);
        // Publishers make folders as they like; nobody could make them at every destination before.
        let transfer = Transfer {
            makes_folders: true,
            ..transfers.row_for(who, new, None)
        };
        change.insert_transfer(&transfer);
        change.enqueue(&self.core.transfer_job(change.tenant(), &transfer));
        let note = Note::event("channels.hand_on", EventType::TransferCreated)
            .of_transfer(transfer.id)
            .with(transfer_facts(&transfer));
        change.journal(&self.core.own_entry(note));
        transfer.id
    }

    /// Queues a delivery of the event that told of the file. A webhook that is gone or switched off gets nothing, which
    /// counts as failed.
    async fn tell_webhook(
        &self,
        change: &mut Change,
        reader: &Reader,
        sent: &Publication,
    ) -> Result<()> {
        let Some(id) = sent.webhook else {
            return Ok(());
        };
        let webhook = reader.webhook(id).await.map_err(error::from_db)?;
        let webhook = webhook.filter(|webhook| webhook.state == WebhookState::Enabled);
        let before = sent.sequence.saturating_sub(1);
        let events = reader
            .events_after(before, &EventFilter::default(), 1)
            .await;
        let events = events.map_err(error::from_db)?;
        let event = events
            .first()
            .filter(|event| event.sequence == sent.sequence);
        if let (Some(webhook), Some(event)) = (webhook, event) {
            let object = match webhook.payload {
                WebhookPayload::Full => self.core.object_of(reader, event).await?,
                WebhookPayload::Thin => None,
            };
            let delivery = self.delivery(change.tenant(), event, &webhook, object.as_ref());
            self.core.schedule(change, &delivery);
        }
        Ok(())
    }
}

async fn everybody(reader: &Reader) -> Result<Vec<(Channel, Subscriber)>> {
    let mut all: Vec<(Channel, Subscriber)> = Vec::new();
    loop {
        let after = all.last().map(|(_, subscriber)| subscriber.id);
        let found = reader.all_subscribers(after, limit::PAGE_MAX).await;
        let found = found.map_err(error::from_db)?;
        let is_last = found.len() < limit::PAGE_MAX as usize;
        all.extend(found);
        if is_last {
            return Ok(all);
        }
    }
}

/// Whom an arrival is for.
async fn publications(
    reader: &Reader,
    event: &SealedEntry,
    subscribers: &[(Channel, Subscriber)],
) -> Result<Vec<Publication>> {
    let Some((file, path)) = arrived(&event.entry) else {
        return Ok(Vec::new());
    };
    let meant = subscribers.iter().filter_map(|(channel, subscriber)| {
        let relative = channel.relative(&path)?;
        let is_own =
            subscriber.filter.holds(&relative) && event.entry.timestamp >= subscriber.created_at;
        is_own.then_some((channel, subscriber, relative))
    });
    let mut hops = None;
    let mut found = Vec::new();
    for (channel, subscriber, relative) in meant {
        let hops = match hops {
            Some(hops) => hops,
            None => *hops.insert(hops_of(reader, &event.entry).await?),
        };
        let state = if hops > limit::CHANNEL_HOPS_MAX {
            PublicationState::Refused
        } else {
            PublicationState::Waiting
        };
        found.push(Publication {
            subscriber: subscriber.id,
            channel: channel.id,
            file,
            path: relative,
            event: event.entry.event_id(),
            sequence: event.sequence,
            state,
            hops,
            replays: 0,
            transfer: None,
            webhook: None,
            created_at: event.entry.timestamp,
            sent_at: None,
        });
    }
    Ok(found)
}

/// Through how many channels a file came, this one included.
async fn hops_of(reader: &Reader, entry: &Entry) -> Result<u32> {
    let Some(transfer) = entry.transfer else {
        return Ok(1);
    };
    let before = reader.hops_of(transfer).await.map_err(error::from_db)?;
    Ok(before.unwrap_or(0).saturating_add(1))
}

fn arrived(entry: &Entry) -> Option<(FileId, FilePath)> {
    let file = entry.subject.id.as_ref()?.parse().ok()?;
    let path = entry.subject.path.as_ref()?.parse().ok()?;
    Some((file, path))
}

/// Where a file goes; `None` if such a path cannot be.
fn destination(target: &ChannelTarget, relative: &str) -> Option<End> {
    match target {
        ChannelTarget::Remote { remote, path } => Some(End::Remote {
            remote: remote.clone(),
            path: format!("{path}{relative}"),
        }),
        ChannelTarget::Folder { path } => {
            let folder = path.to_string();
            let path = format!("{}/{relative}", folder.trim_end_matches('/'));
            let path = path.parse().ok()?;
            Some(End::Path { path })
        }
        ChannelTarget::Webhook { .. } => None,
    }
}

fn order(channel: &Channel, subscriber: &Subscriber, (file, end): (FileId, End)) -> NewTransfer {
    let metadata = [
        ("channel_id", channel.id.to_string()),
        ("subscriber_id", subscriber.id.to_string()),
    ];
    NewTransfer {
        label: Some(format!("{}/{}", channel.name, subscriber.name)),
        on_conflict: subscriber.on_conflict,
        verify: subscriber.verify,
        metadata: metadata
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        ..NewTransfer::new(End::File { file }, end)
    }
}
