//! Channels: folders whose files are handed on to all who subscribed.

use bailee_model::{
    self as model, ChannelId, FileId, SubscriberId, Timestamp, TransferId, WebhookId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List};

words! {
    /// Whether a channel, or one of its subscribers, hands files on.
    ChannelState {
        /// It does.
        Active = "active",
        /// It does not; what arrives waits.
        Paused = "paused",
    }
}
words_from!(bailee_model::ChannelState => ChannelState { Active, Paused });

words! {
    /// How a file fares for a subscriber.
    PublicationState {
        /// It waits for its turn, or for the end of a pause.
        Waiting = "waiting",
        /// It was handed on and waits for a runner, or for its next try.
        Queued = "queued",
        /// It is on its way.
        Running = "running",
        /// Its transfer is held.
        Paused = "paused",
        /// It arrived.
        Completed = "completed",
        /// It did not.
        Failed = "failed",
    }
}

/// Body of `POST /channels`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "prices", "folder": "/out/prices", "include": ["*.csv"]}))]
pub struct CreateChannel {
    /// `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// Where publishers drop their files. Files in folders below count, too.
    pub folder: String,
    /// Only files that one of these patterns means, relative to the folder; all when empty.
    #[serde(default)]
    pub include: Vec<String>,
    /// No files that one of these patterns means.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// `active` when absent.
    #[schema(value_type = Option<ChannelState>)]
    pub state: Option<model::ChannelState>,
}

/// Body of `PATCH /channels/{channel_id}`: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeChannel {
    /// A new name.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub name: Option<String>,
    /// Another folder, for files that arrive from now on.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub folder: Option<String>,
    /// All patterns of files that are handed on, anew.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Vec<String>, required = false)]
    pub include: Option<Vec<String>>,
    /// All patterns of files that are not, anew.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Vec<String>, required = false)]
    pub exclude: Option<Vec<String>>,
    /// `paused` holds back what arrives, `active` lets it go on.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = ChannelState, required = false)]
    pub state: Option<model::ChannelState>,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    /// Names the channel.
    #[schema(value_type = String, example = "chn_01m7yp4nesedqrb018tr4sjm6r")]
    pub channel_id: ChannelId,
    /// Its name, unique in the tenant.
    #[schema(example = "prices")]
    pub name: String,
    /// Where publishers drop their files.
    #[schema(example = "/out/prices")]
    pub folder: String,
    /// Only files that one of these patterns means; all when empty.
    pub include: Vec<String>,
    /// No files that one of these patterns means.
    pub exclude: Vec<String>,
    /// Whether it hands on.
    pub state: ChannelState,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of channels.
pub type ChannelList = List<Channel>;

/// Body of `POST /channels/{channel_id}/subscribers`: `destination` or `webhook_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bank", "destination": "bank:/in/prices/"}))]
pub struct CreateSubscriber {
    /// `[a-z0-9][a-z0-9-]{0,62}`, unique in the channel.
    pub name: String,
    /// The folder its files go into, with a `/` at its end: at a remote, `bank:/in/`, or in Bailee, `/partners/bank/`.
    pub destination: Option<String>,
    /// Instead: the webhook that is told of each file, whatever types it wants otherwise.
    #[schema(value_type = Option<String>, example = "whk_01m7yp4nesedqrb018tr4sjm6r")]
    pub webhook_id: Option<WebhookId>,
    /// Only files that one of these patterns means, relative to the channel's folder; all when empty.
    #[serde(default)]
    pub include: Vec<String>,
    /// No files that one of these patterns means.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// What happens where a destination is occupied; `replace` when absent.
    #[schema(value_type = Option<crate::OnConflict>)]
    pub on_conflict: Option<model::OnConflict>,
    /// How copies are compared; `hash` when absent.
    #[schema(value_type = Option<crate::Verify>)]
    pub verify: Option<model::Verify>,
    /// `active` when absent.
    #[schema(value_type = Option<ChannelState>)]
    pub state: Option<model::ChannelState>,
}

/// Body of `PATCH` on a subscriber: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSubscriber {
    /// A new name.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub name: Option<String>,
    /// Another folder; it takes the place of a webhook, too.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub destination: Option<String>,
    /// Another webhook; it takes the place of a destination, too.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub webhook_id: Option<WebhookId>,
    /// All patterns of files that it gets, anew.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Vec<String>, required = false)]
    pub include: Option<Vec<String>>,
    /// All patterns of files that it does not, anew.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Vec<String>, required = false)]
    pub exclude: Option<Vec<String>>,
    /// What happens where a destination is occupied.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = crate::OnConflict, required = false)]
    pub on_conflict: Option<model::OnConflict>,
    /// How copies are compared.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = crate::Verify, required = false)]
    pub verify: Option<model::Verify>,
    /// `paused` holds back what arrives, `active` lets it go on.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = ChannelState, required = false)]
    pub state: Option<model::ChannelState>,
}

/// Somebody who gets what arrives in a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Subscriber {
    /// Names the subscriber.
    #[schema(value_type = String, example = "sbs_01m7yp4nesedqrb018tr4sjm6r")]
    pub subscriber_id: SubscriberId,
    /// Of which channel.
    #[schema(value_type = String, example = "chn_01m7yp4nesedqrb018tr4sjm6r")]
    pub channel_id: ChannelId,
    /// Its name, unique in the channel.
    #[schema(example = "bank")]
    pub name: String,
    /// The folder its files go into.
    #[schema(required, example = "bank:/in/prices/")]
    pub destination: Option<String>,
    /// The webhook that is told of them.
    #[schema(value_type = Option<String>, required)]
    pub webhook_id: Option<WebhookId>,
    /// Only files that one of these patterns means; all when empty.
    pub include: Vec<String>,
    /// No files that one of these patterns means.
    pub exclude: Vec<String>,
    /// What happens where a destination is occupied.
    pub on_conflict: crate::OnConflict,
    /// How copies are compared.
    pub verify: crate::Verify,
    /// Whether it gets files now.
    pub state: ChannelState,
    /// In whose name its files are read and written, with the rights that it has then.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub acts_for: model::PrincipalId,
    /// How its files stand; null in lists.
    #[schema(required)]
    pub files: Option<PublicationCounts>,
    /// Since when it exists. Earlier files are not its own.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of subscribers.
pub type SubscriberList = List<Subscriber>;

/// How the files of a subscriber stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicationCounts {
    /// Waiting for their turn, or for the end of a pause.
    pub waiting: u64,
    /// Handed on and not ended.
    pub under_way: u64,
    /// Arrived.
    pub completed: u64,
    /// Not arrived.
    pub failed: u64,
}

/// One file version for one subscriber.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Publication {
    /// Which version.
    #[schema(value_type = String, example = "fil_01m7yp4jy0emq8k9w39qsaekf4")]
    pub file_id: FileId,
    /// Its place below the channel's folder.
    #[schema(example = "eu/prices.csv")]
    pub path: String,
    /// How it fares.
    pub state: PublicationState,
    /// The transfer that carries it, the newest.
    #[schema(value_type = Option<String>, example = "xfr_01m7yp4kyae4ma4jz41b93y214", required)]
    pub transfer_id: Option<TransferId>,
    /// The event that a webhook is told.
    #[schema(value_type = String, example = "evt_01m7yp4nesedqrb018tr4sjm6r")]
    pub event_id: model::EventId,
    /// How often it was asked for again.
    pub replays: u32,
    /// When it arrived.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub arrived_at: Timestamp,
    /// When it was last handed on.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub sent_at: Option<Timestamp>,
}

/// A page of the files of a subscriber.
pub type PublicationList = List<Publication>;

/// Body of `POST …/subscribers/{subscriber_id}/replay`: which files, by one of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"since": "2026-11-21T09:00:00.000Z"}))]
pub struct ReplaySubscriber {
    /// One version.
    #[schema(value_type = Option<String>, example = "fil_01m7yp4jy0emq8k9w39qsaekf4")]
    pub file_id: Option<FileId>,
    /// Those that arrived at or after a time.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:00:00.000Z")]
    pub since: Option<Timestamp>,
    /// `failed`: those that did not arrive; `all`: all.
    pub which: Option<String>,
}

impl From<&model::Channel> for Channel {
    fn from(channel: &model::Channel) -> Self {
        Self {
            channel_id: channel.id,
            name: channel.name.to_string(),
            folder: channel.folder.to_string(),
            include: texts(&channel.filter.include),
            exclude: texts(&channel.filter.exclude),
            state: channel.state.into(),
            created_at: channel.created_at,
            links: Links::to("channels", channel.id),
        }
    }
}

impl From<&model::Subscriber> for Subscriber {
    /// The subscriber without its counts.
    fn from(subscriber: &model::Subscriber) -> Self {
        let (destination, webhook_id) = match &subscriber.target {
            model::ChannelTarget::Remote { remote, path } => {
                (Some(format!("{remote}:{path}")), None)
            }
            model::ChannelTarget::Folder { path } if path.is_root() => (Some("/".to_owned()), None),
            model::ChannelTarget::Folder { path } => (Some(format!("{path}/")), None),
            model::ChannelTarget::Webhook { webhook } => (None, Some(*webhook)),
        };
        let collection = format!("channels/{}/subscribers", subscriber.channel);
        Self {
            subscriber_id: subscriber.id,
            channel_id: subscriber.channel,
            name: subscriber.name.to_string(),
            destination,
            webhook_id,
            include: texts(&subscriber.filter.include),
            exclude: texts(&subscriber.filter.exclude),
            on_conflict: subscriber.on_conflict.into(),
            verify: subscriber.verify.into(),
            state: subscriber.state.into(),
            acts_for: subscriber.acts_for,
            files: None,
            created_at: subscriber.created_at,
            links: Links::to(&collection, subscriber.id),
        }
    }
}

impl From<model::PublicationCounts> for PublicationCounts {
    fn from(counts: model::PublicationCounts) -> Self {
        Self {
            waiting: counts.waiting,
            under_way: counts.under_way,
            completed: counts.completed,
            failed: counts.failed,
        }
    }
}

impl From<&model::PublicationView> for Publication {
    fn from(view: &model::PublicationView) -> Self {
        let publication = &view.publication;
        Self {
            file_id: publication.file,
            path: publication.path.clone(),
            state: PublicationState::from(view.status.as_str()),
            transfer_id: publication.transfer,
            event_id: publication.event,
            replays: publication.replays,
            arrived_at: publication.created_at,
            sent_at: publication.sent_at,
        }
    }
}

fn texts(globs: &[model::Glob]) -> Vec<String> {
    globs.iter().map(ToString::to_string).collect()
}
