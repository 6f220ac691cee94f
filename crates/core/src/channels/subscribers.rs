use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Channel, ChannelFilter, ChannelId, ChannelName, ChannelState, ChannelTarget, End, Error,
    OnConflict, Page, PageRequest, PublicationCounts, PublicationView, Replay, Result, Subscriber,
    SubscriberId, Verify, limit,
};
use bailee_store::{DbError, conflict};

use super::{Channels, check_filter, taken};
use crate::error;
use crate::files::{Files, Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::transfers::key_of;

/// A subscriber to be made.
#[derive(Clone, Debug)]
pub struct NewSubscriber {
    /// Its name.
    pub name: ChannelName,
    /// Where its files go.
    pub target: ChannelTarget,
    /// Which of the channel's files it gets.
    pub filter: ChannelFilter,
    /// What happens where a destination is occupied.
    pub on_conflict: OnConflict,
    /// How copies are compared.
    pub verify: Verify,
    /// Whether it begins at once.
    pub state: ChannelState,
}

/// What changes of a subscriber.
#[derive(Clone, Debug, Default)]
pub struct SubscriberChange {
    /// Another name.
    pub name: Option<ChannelName>,
    /// Another target.
    pub target: Option<ChannelTarget>,
    /// Other patterns of files that it gets.
    pub include: Option<Vec<bailee_model::Glob>>,
    /// Other patterns of files that it does not.
    pub exclude: Option<Vec<bailee_model::Glob>>,
    /// What happens where a destination is occupied.
    pub on_conflict: Option<OnConflict>,
    /// How copies are compared.
    pub verify: Option<Verify>,
    /// Whether it gets files now.
    pub state: Option<ChannelState>,
}

impl Channels<'_> {
    /// Adds a subscriber. Its files are read and written in the caller's name, with the rights that it has then.
    pub async fn subscribe(
        &self,
        caller: &Caller,
        channel: ChannelId,
        new: NewSubscriber,
    ) -> Result<Subscriber> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let operation = "channels.subscribe";
        let permit = self.manage(caller, operation).await?;
        let channel = self.find(caller, &permit, channel).await?;
        self.may_read(caller, operation, &channel.folder).await?;
        self.check_target(caller, &permit, (&channel, &new.target))
            .await?;
        check_filter(&new.filter)?;
        let now = self.core.clock.now();
        let subscriber = Subscriber {
            id: SubscriberId::new(now, &*self.core.chance),
            channel: channel.id,
            name: new.name,
            target: new.target,
            filter: new.filter,
            on_conflict: new.on_conflict,
            verify: new.verify,
            state: new.state,
            acts_for: caller.principal(),
            acts_with: key_of(caller),
            created_at: now,
            revision: 1,
        };
        let mut change = self.core.store.change(&permit);
        change.insert_subscriber(&subscriber, limit::SUBSCRIBERS_MAX);
        made(&mut change, &subscriber)?;
        let note = Note::record(operation)
            .about(subscriber.id)
            .with(facts(&subscriber));
        change.journal(&self.core.permitted(caller, &permit, note));
        match change.commit().await {
            Ok(()) => Ok(subscriber),
            Err(DbError::Conflict(conflict::SUBSCRIBER)) => {
                self.free(&permit, &subscriber).await?;
                Err(error::enough(
                    "A channel",
                    limit::SUBSCRIBERS_MAX,
                    "subscribers",
                ))
            }
            Err(error) => Err(error::from_db(error)),
        }
    }

    /// The subscribers of a channel, newest first.
    pub async fn subscribers(
        &self,
        caller: &Caller,
        channel: ChannelId,
        page: PageRequest,
    ) -> Result<Page<Subscriber>> {
        let permit = self.read(caller, "channels.subscribers").await?;
        self.find(caller, &permit, channel).await?;
        let reader = self.core.store.reader(&permit);
        let found = reader.subscribers(channel, &page).await;
        found.map_err(error::from_db)
    }

    /// One subscriber, and how its files stand.
    pub async fn subscriber(
        &self,
        caller: &Caller,
        channel: ChannelId,
        id: SubscriberId,
    ) -> Result<(Subscriber, PublicationCounts)> {
        let permit = self.read(caller, "channels.subscriber").await?;
        let (_, subscriber) = self.find_both(caller, &permit, (channel, id)).await?;
        let reader = self.core.store.reader(&permit);
        let counts = reader.publication_counts(id).await;
        Ok((subscriber, counts.map_err(error::from_db)?))
    }

    /// Changes a subscriber. From now on its files are read and written in the caller's name.
    pub async fn update_subscriber(
        &self,
        caller: &Caller,
        (channel, id): (ChannelId, SubscriberId),
        wish: SubscriberChange,
        precondition: Precondition,
    ) -> Result<Subscriber> {
        let operation = "channels.update_subscriber";
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, operation).await?;
            let (channel, old) = self.find_both(caller, &permit, (channel, id)).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&old.revision.to_string()), &known.tenant)?;
            let wish = wish.clone();
            let subscriber = Subscriber {
                name: wish.name.unwrap_or(old.name),
                target: wish.target.unwrap_or(old.target),
                filter: ChannelFilter {
                    include: wish.include.unwrap_or(old.filter.include),
                    exclude: wish.exclude.unwrap_or(old.filter.exclude),
                },
                on_conflict: wish.on_conflict.unwrap_or(old.on_conflict),
                verify: wish.verify.unwrap_or(old.verify),
                state: wish.state.unwrap_or(old.state),
                acts_for: caller.principal(),
                acts_with: key_of(caller),
                revision: old.revision + 1,
                ..old
            };
            self.may_read(caller, operation, &channel.folder).await?;
            self.check_target(caller, &permit, (&channel, &subscriber.target))
                .await?;
            check_filter(&subscriber.filter)?;
            let mut change = self.core.store.change(&permit);
            change.put_subscriber(&subscriber);
            let note = Note::record(operation).about(id).with(facts(&subscriber));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(subscriber),
                Err(DbError::Conflict(conflict::SUBSCRIBER)) => {
                    self.free(&permit, &subscriber).await?;
                }
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("channel"))
    }

    /// Removes a subscriber and what waits for it. Transfers that are on their way go on.
    pub async fn unsubscribe(
        &self,
        caller: &Caller,
        (channel, id): (ChannelId, SubscriberId),
        precondition: Precondition,
    ) -> Result<()> {
        let operation = "channels.unsubscribe";
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, operation).await?;
            let (_, subscriber) = self.find_both(caller, &permit, (channel, id)).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&subscriber.revision.to_string()), &known.tenant)?;
            let mut change = self.core.store.change(&permit);
            change.delete_subscriber(&subscriber);
            let note = Note::record(operation).about(id).with(facts(&subscriber));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::SUBSCRIBER)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("channel"))
    }

    /// The files of a subscriber and how each fares, newest first.
    pub async fn files(
        &self,
        caller: &Caller,
        (channel, id): (ChannelId, SubscriberId),
        page: PageRequest,
    ) -> Result<Page<PublicationView>> {
        let permit = self.read(caller, "channels.files").await?;
        self.find_both(caller, &permit, (channel, id)).await?;
        let found = self
            .core
            .store
            .reader(&permit)
            .publications(id, &page)
            .await;
        found.map_err(error::from_db)
    }

    /// Hands files on to a subscriber once more. Files that wait anyway are not doubled.
    pub async fn replay(
        &self,
        caller: &Caller,
        (channel, id): (ChannelId, SubscriberId),
        which: Replay,
    ) -> Result<Subscriber> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.manage(caller, "channels.replay").await?;
        let (_, subscriber) = self.find_both(caller, &permit, (channel, id)).await?;
        let reader = self.core.store.reader(&permit);
        if let Replay::File(file) = which {
            let found = reader.publication(id, file).await.map_err(error::from_db)?;
            found.ok_or_else(|| {
                let detail = "The subscriber never got this file version.";
                Error::field("#/file_id", "unknown", detail)
            })?;
        }
        let mut change = self.core.store.change(&permit);
        change.replay(id, which);
        made(&mut change, &subscriber)?;
        let told = match which {
            Replay::File(file) => serde_json::json!({ "file_id": file }),
            Replay::Since(time) => serde_json::json!({ "since": time }),
            Replay::Failed => serde_json::json!({ "which": "failed" }),
            Replay::All => serde_json::json!({ "which": "all" }),
        };
        let note = Note::record("channels.replay").about(id).with(told);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        Ok(subscriber)
    }

    async fn find_both(
        &self,
        caller: &Caller,
        permit: &Permit,
        (channel, id): (ChannelId, SubscriberId),
    ) -> Result<(Channel, Subscriber)> {
        let channel = self.find(caller, permit, channel).await?;
        let reader = self.core.store.reader(permit);
        let found = reader.subscriber(channel.id, id).await;
        let found = found.map_err(error::from_db)?;
        let subscriber = found.ok_or_else(|| Error::not_found("subscriber"))?;
        Ok((channel, subscriber))
    }

    /// Whoever subscribes must be able to write where its files go.
    async fn check_target(
        &self,
        caller: &Caller,
        permit: &Permit,
        (channel, target): (&Channel, &ChannelTarget),
    ) -> Result<()> {
        match target {
            ChannelTarget::Remote { remote, path } => {
                let end = End::Remote {
                    remote: remote.clone(),
                    path: path.clone(),
                };
                self.core.check_end(caller, &end, "#/destination").await
            }
            ChannelTarget::Folder { path } => {
                if path.is_within(&channel.folder) {
                    let detail =
                        "A folder within the channel's own would be handed on without end.";
                    return Err(Error::field("#/destination", "loop", detail));
                }
                let files = Files { core: self.core };
                let admitted = files.admit(caller, "channels.subscribe", Some(path)).await;
                admitted.map(drop)
            }
            ChannelTarget::Webhook { webhook } => {
                let ask = Ask {
                    operation: "channels.subscribe",
                    action: Action::WebhookManage,
                    resource: &Resource::Webhook,
                    what: "webhook",
                };
                self.core.enter(caller, ask).await?;
                let reader = self.core.store.reader(permit);
                let found = reader.webhook(*webhook).await.map_err(error::from_db)?;
                found.map(drop).ok_or_else(|| {
                    Error::field("#/webhook_id", "unknown", "There is no such webhook.")
                })
            }
        }
    }

    /// Refuses if another subscriber of the channel has the name.
    async fn free(&self, permit: &Permit, wish: &Subscriber) -> Result<()> {
        let page = PageRequest {
            limit: limit::PAGE_MAX,
            after: None,
        };
        let reader = self.core.store.reader(permit);
        let all = reader.subscribers(wish.channel, &page).await;
        let all = all.map_err(error::from_db)?.data;
        if all
            .iter()
            .any(|other| other.name == wish.name && other.id != wish.id)
        {
            return Err(taken("subscriber of the channel", &wish.name));
        }
        Ok(())
    }
}

fn facts(subscriber: &Subscriber) -> serde_json::Value {
    serde_json::json!({
        "channel_id": subscriber.channel,
        "name": subscriber.name,
        "target": subscriber.target,
        "state": subscriber.state,
    })
}
