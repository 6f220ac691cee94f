use bailee_api::{
    ChangeChannel, ChangeSubscriber, Channel, CreateChannel, CreateSubscriber, Publication,
    ReplaySubscriber, Subscriber,
};
use bailee_model::{ChannelId, SubscriberId};

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Channels: folders whose files are handed on to all who subscribed.
    Channels, channels
}

impl Channels<'_> {
    /// Makes a channel.
    pub async fn create(&self, channel: &CreateChannel) -> Result<Channel> {
        self.0.json(Call::post("/channels").json(channel)?).await
    }

    /// All channels, newest first.
    pub fn list(&self) -> Listing<Channel> {
        Listing::new(self.0, Call::get("/channels"))
    }

    /// One of them.
    pub async fn get(&self, channel: ChannelId) -> Result<Channel> {
        self.0.json(Call::get(path(channel))).await
    }

    /// The one with this name, if there is one.
    pub async fn by_name(&self, name: &str) -> Result<Option<Channel>> {
        let mut channels = self.list();
        while let Some(channel) = channels.next().await? {
            if channel.name == name {
                return Ok(Some(channel));
            }
        }
        Ok(None)
    }

    /// Changes, pauses or resumes a channel.
    pub async fn change(&self, channel: ChannelId, change: &ChangeChannel) -> Result<Channel> {
        self.0.json(Call::patch(path(channel)).json(change)?).await
    }

    /// Removes a channel with its subscribers.
    pub async fn delete(&self, channel: ChannelId) -> Result<()> {
        self.0.gone(Call::delete(path(channel))).await
    }

    /// Adds a subscriber.
    pub async fn subscribe(
        &self,
        channel: ChannelId,
        subscriber: &CreateSubscriber,
    ) -> Result<Subscriber> {
        let call = Call::post(format!("{}/subscribers", path(channel))).json(subscriber)?;
        self.0.json(call).await
    }

    /// The subscribers of a channel, newest first.
    pub fn subscribers(&self, channel: ChannelId) -> Listing<Subscriber> {
        Listing::new(self.0, Call::get(format!("{}/subscribers", path(channel))))
    }

    /// One of them, and how its files stand.
    pub async fn subscriber(&self, channel: ChannelId, id: SubscriberId) -> Result<Subscriber> {
        self.0.json(Call::get(own(channel, id))).await
    }

    /// Changes, pauses or resumes a subscriber.
    pub async fn change_subscriber(
        &self,
        (channel, id): (ChannelId, SubscriberId),
        change: &ChangeSubscriber,
    ) -> Result<Subscriber> {
        let call = Call::patch(own(channel, id)).json(change)?;
        self.0.json(call).await
    }

    /// Removes a subscriber.
    pub async fn unsubscribe(&self, channel: ChannelId, id: SubscriberId) -> Result<()> {
        self.0.gone(Call::delete(own(channel, id))).await
    }

    /// The files of a subscriber and how each fares, newest first.
    pub fn files(&self, channel: ChannelId, id: SubscriberId) -> Listing<Publication> {
        Listing::new(self.0, Call::get(format!("{}/files", own(channel, id))))
    }

    /// Hands files on to a subscriber once more.
    pub async fn replay(
        &self,
        (channel, id): (ChannelId, SubscriberId),
        which: &ReplaySubscriber,
    ) -> Result<Subscriber> {
        let call = Call::post(format!("{}/replay", own(channel, id))).json(which)?;
        self.0.json(call).await
    }
}

fn path(channel: ChannelId) -> String {
    format!("/channels/{channel}")
}

fn own(channel: ChannelId, id: SubscriberId) -> String {
    format!("/channels/{channel}/subscribers/{id}")
}
