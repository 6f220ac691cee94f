//! Channels: folders whose files are handed on to all who subscribed.

mod subscribers;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Channel, ChannelFilter, ChannelId, ChannelName, ChannelState, Error, ErrorKind, FolderPath,
    Page, PageRequest, Result, limit,
};
use bailee_store::{DbError, conflict};

pub use self::subscribers::{NewSubscriber, SubscriberChange};
use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{Core, error};

/// The channels of the caller's tenant.
pub struct Channels<'a> {
    pub(crate) core: &'a Core,
}

/// A channel to be made.
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// Its name.
    pub name: ChannelName,
    /// Where publishers drop their files.
    pub folder: FolderPath,
    /// Which of them are handed on.
    pub filter: ChannelFilter,
    /// Whether it begins at once.
    pub state: ChannelState,
}

/// What changes of a channel.
#[derive(Clone, Debug, Default)]
pub struct ChannelChange {
    /// Another name.
    pub name: Option<ChannelName>,
    /// Another folder.
    pub folder: Option<FolderPath>,
    /// Other patterns of files that are handed on.
    pub include: Option<Vec<bailee_model::Glob>>,
    /// Other patterns of files that are not.
    pub exclude: Option<Vec<bailee_model::Glob>>,
    /// Whether it hands on.
    pub state: Option<ChannelState>,
}

impl Channels<'_> {
    /// Makes a channel.
    pub async fn create(&self, caller: &Caller, new: NewChannel) -> Result<Channel> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.manage(caller, "channels.create").await?;
        self.may_read(caller, "channels.create", &new.folder)
            .await?;
        check_filter(&new.filter)?;
        let now = self.core.clock.now();
        let channel = Channel {
            id: ChannelId::new(now, &*self.core.chance),
            name: new.name,
            folder: new.folder,
            filter: new.filter,
            state: new.state,
            created_at: now,
            revision: 1,
        };
        let mut change = self.core.store.change(&permit);
        change.insert_channel(&channel, limit::CHANNELS_MAX);
        made(&mut change, &channel)?;
        let note = Note::record("channels.create")
            .about(channel.id)
            .with(facts(&channel));
        change.journal(&self.core.permitted(caller, &permit, note));
        match change.commit().await {
            Ok(()) => Ok(channel),
            Err(DbError::Conflict(conflict::CHANNEL)) => {
                Err(self.not_made(&permit, &channel.name).await?)
            }
            Err(error) => Err(error::from_db(error)),
        }
    }

    /// Channels, newest first. A key that is bound to paths sees those within them.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Channel>> {
        let permit = self.read(caller, "channels.list").await?;
        let found = self.core.store.reader(&permit).channels(&page).await;
        let mut found = found.map_err(error::from_db)?;
        found.data.retain(|channel| is_shown(caller, channel));
        Ok(found)
    }

    /// One channel.
    pub async fn get(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        let permit = self.read(caller, "channels.get").await?;
        self.find(caller, &permit, id).await
    }

    /// Changes a channel.
    pub async fn update(
        &self,
        caller: &Caller,
        id: ChannelId,
        wish: ChannelChange,
        precondition: Precondition,
    ) -> Result<Channel> {
        let operation = "channels.update";
        if let Some(folder) = &wish.folder {
            self.may_read(caller, operation, folder).await?;
        }
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, operation).await?;
            let old = self.find(caller, &permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&old.revision.to_string()), &known.tenant)?;
            let wish = wish.clone();
            let channel = Channel {
                name: wish.name.unwrap_or(old.name),
                folder: wish.folder.unwrap_or(old.folder),
                filter: ChannelFilter {
                    include: wish.include.unwrap_or(old.filter.include),
                    exclude: wish.exclude.unwrap_or(old.filter.exclude),
                },
                state: wish.state.unwrap_or(old.state),
                revision: old.revision + 1,
                ..old
            };
            check_filter(&channel.filter)?;
            let mut change = self.core.store.change(&permit);
            change.put_channel(&channel);
            let note = Note::record(operation).about(id).with(facts(&channel));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(channel),
                Err(DbError::Conflict(conflict::CHANNEL)) => {
                    self.name_is_free(&permit, (id, &channel.name)).await?;
                }
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("channel"))
    }

    /// Removes a channel, its subscribers, and what waits for them. Transfers that are on their way go on.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: ChannelId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, "channels.delete").await?;
            let channel = self.find(caller, &permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&channel.revision.to_string()), &known.tenant)?;
            let mut change = self.core.store.change(&permit);
            change.delete_channel(&channel);
            let note = Note::record("channels.delete")
                .about(id)
                .with(facts(&channel));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::CHANNEL)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("channel"))
    }

    pub(super) async fn read(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        self.enter(caller, operation, Action::ChannelRead).await
    }

    pub(super) async fn manage(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        self.enter(caller, operation, Action::ChannelManage).await
    }

    async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
    ) -> Result<Permit> {
        let ask = Ask {
            operation,
            action,
            resource: &Resource::Tenant,
            what: "channel",
        };
        self.core.enter(caller, ask).await
    }

    /// Who hands files on must be able to read them.
    pub(super) async fn may_read(
        &self,
        caller: &Caller,
        operation: &'static str,
        folder: &FolderPath,
    ) -> Result<()> {
        let resource = Resource::Folder {
            path: folder.clone(),
        };
        let ask = Ask {
            operation,
            action: Action::FileRead,
            resource: &resource,
            what: "folder",
        };
        self.core.enter(caller, ask).await.map(drop)
    }

    pub(super) async fn find(
        &self,
        caller: &Caller,
        permit: &Permit,
        id: ChannelId,
    ) -> Result<Channel> {
        let found = self.core.store.reader(permit).channel(id).await;
        found
            .map_err(error::from_db)?
            .filter(|channel| is_shown(caller, channel))
            .ok_or_else(|| Error::not_found("channel"))
    }

    /// Why a channel was not made: its name is taken, or there are enough.
    async fn not_made(&self, permit: &Permit, name: &ChannelName) -> Result<Error> {
        let unborn = ChannelId::from_bits(0);
        if let Err(taken) = self.name_is_free(permit, (unborn, name)).await {
            return Ok(taken);
        }
        Ok(error::enough("A tenant", limit::CHANNELS_MAX, "channels"))
    }

    async fn name_is_free(
        &self,
        permit: &Permit,
        (own, name): (ChannelId, &ChannelName),
    ) -> Result<()> {
        let page = PageRequest {
            limit: limit::PAGE_MAX,
            after: None,
        };
        let all = self.core.store.reader(permit).channels(&page).await;
        let all = all.map_err(error::from_db)?.data;
        if all
            .iter()
            .any(|other| other.name == *name && other.id != own)
        {
            return Err(taken("channel", name));
        }
        Ok(())
    }
}

pub(super) fn taken(what: &str, name: &ChannelName) -> Error {
    let detail = format!("Another {what} is called `{name}`.");
    Error::new(ErrorKind::NameTaken, detail)
}

pub(super) fn check_filter(filter: &ChannelFilter) -> Result<()> {
    for (pointer, globs) in [
        ("#/include", &filter.include),
        ("#/exclude", &filter.exclude),
    ] {
        if globs.len() > limit::GLOBS_MAX {
            let detail = format!("At most {} patterns.", limit::GLOBS_MAX);
            return Err(Error::field(pointer, "too_many", detail));
        }
    }
    Ok(())
}

/// Whether a caller may know of a channel: a key that is bound to paths sees those within them.
fn is_shown(caller: &Caller, channel: &Channel) -> bool {
    let bounds = caller.path_prefixes();
    bounds.is_empty() || bounds.iter().any(|bound| channel.folder.is_within(bound))
}

fn facts(channel: &Channel) -> serde_json::Value {
    serde_json::json!({
        "name": channel.name,
        "folder": channel.folder.to_string(),
        "state": channel.state,
    })
}
