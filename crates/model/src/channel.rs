use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    ChannelId, EventId, FileId, FilePath, FolderPath, Glob, KeyId, OnConflict, PrincipalId,
    RemoteName, SubscriberId, Timestamp, TransferId, Verify, WebhookId,
};

/// What a channel or a subscriber is called: `[a-z0-9][a-z0-9-]{0,62}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelName(String);

impl ChannelName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChannelName {
    type Err = &'static str;

    /// The same rules as for remotes, and `bailee` is no exception.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_good = (1..=63).contains(&text.len())
            && text.starts_with(is_word)
            && text.chars().all(|c| is_word(c) || c == '-');
        if is_good {
            Ok(Self(text.to_owned()))
        } else {
            Err("a name has 1 to 63 small letters, digits and hyphens, and begins with no hyphen")
        }
    }
}

impl TryFrom<String> for ChannelName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ChannelName> for String {
    fn from(name: ChannelName) -> Self {
        name.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether a channel, or one of its subscribers, hands files on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// It does.
    Active,
    /// It does not; what arrives waits.
    Paused,
}

/// Which files below a channel's folder are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelFilter {
    /// Only files that one of these means; every file when empty.
    pub include: Vec<Glob>,
    /// No files that one of these means.
    pub exclude: Vec<Glob>,
}

impl ChannelFilter {
    /// Whether the file at `path`, relative to the channel's folder, is meant.
    pub fn holds(&self, path: &str) -> bool {
        let meets = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(path));
        (self.include.is_empty() || meets(&self.include)) && !meets(&self.exclude)
    }
}

/// A folder whose files are handed on to all who subscribed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Its name, unique in the tenant.
    pub name: ChannelName,
    /// Where publishers drop their files.
    pub folder: FolderPath,
    /// Which files are handed on.
    pub filter: ChannelFilter,
    /// Whether it hands on.
    pub state: ChannelState,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

impl Channel {
    /// The path of a file below the channel's folder, relative to it, if the file is the channel's.
    pub fn relative(&self, path: &FilePath) -> Option<String> {
        if !path.is_within(&self.folder) {
            return None;
        }
        let depth = self.folder.names().len();
        let folders = path.folder().names().iter().skip(depth);
        let mut names: Vec<&str> = folders.map(crate::FileName::as_str).collect();
        names.push(path.name().as_str());
        let relative = names.join("/");
        self.filter.holds(&relative).then_some(relative)
    }
}

/// Where a subscriber's files go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "target", rename_all = "snake_case")]
pub enum ChannelTarget {
    /// Into a folder at a remote.
    Remote {
        /// Which remote.
        remote: RemoteName,
        /// The folder there, with a `/` at its end.
        path: String,
    },
    /// Into another folder in Bailee.
    Folder {
        /// Which.
        path: FolderPath,
    },
    /// Nowhere: a webhook is told of them.
    Webhook {
        /// Which.
        webhook: WebhookId,
    },
}

/// Somebody who gets what arrives in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Its id.
    pub id: SubscriberId,
    /// Of which channel.
    pub channel: ChannelId,
    /// Its name, unique in the channel.
    pub name: ChannelName,
    /// Where its files go.
    pub target: ChannelTarget,
    /// Which of the channel's files it gets.
    pub filter: ChannelFilter,
    /// What happens where a destination is occupied.
    pub on_conflict: OnConflict,
    /// How copies are compared.
    pub verify: Verify,
    /// Whether it gets files now.
    pub state: ChannelState,
    /// In whose name its files are read and written: whoever made or last changed it.
    pub acts_for: PrincipalId,
    /// By which credential; its limits bind what is handed on.
    pub acts_with: Option<KeyId>,
    /// Since when it exists. Earlier files are not its own.
    pub created_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

/// What has become of a file for a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicationState {
    /// It waits for its turn, or for the end of a pause.
    Waiting,
    /// It was handed on; its transfer or delivery tells how that went.
    Sent,
    /// It went round through too many channels and is not handed on.
    Refused,
}

/// One file version for one subscriber. There is never a second one of the same two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// For whom.
    pub subscriber: SubscriberId,
    /// Of which channel.
    pub channel: ChannelId,
    /// Which version.
    pub file: FileId,
    /// Its place below the channel's folder.
    pub path: String,
    /// The event that told of its arrival.
    pub event: EventId,
    /// That event's place in the journal.
    pub sequence: u64,
    /// What has become of it.
    pub state: PublicationState,
    /// Through how many channels it came.
    pub hops: u32,
    /// How often it was asked for again.
    pub replays: u32,
    /// The transfer that carries it, the newest.
    pub transfer: Option<TransferId>,
    /// The webhook that was told of it.
    pub webhook: Option<WebhookId>,
    /// When it arrived.
    pub created_at: Timestamp,
    /// When it was last handed on.
    pub sent_at: Option<Timestamp>,
}

/// A publication and how it fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationView {
    /// What was handed on.
    pub publication: Publication,
    /// `waiting`, `queued`, `running`, `paused`, `completed`, `failed`.
    pub status: String,
}

/// How the files of a subscriber stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublicationCounts {
    /// Waiting for their turn.
    pub waiting: u64,
    /// Handed on and not ended.
    pub under_way: u64,
    /// Arrived.
    pub completed: u64,
    /// Not arrived.
    pub failed: u64,
}

/// Which publications are handed on again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// One file version.
    File(FileId),
    /// Those that arrived at or after a time.
    Since(Timestamp),
    /// Those that failed.
    Failed,
    /// All.
    All,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_channel_knows_its_files() {
        let channel = |folder: &str, include: &[&str]| Channel {
            id: ChannelId::from_bits(1),
            name: "prices".parse().unwrap(),
            folder: folder.parse().unwrap(),
            filter: ChannelFilter {
                include: include.iter().map(|glob| glob.parse().unwrap()).collect(),
                exclude: vec!["*.tmp".parse().unwrap()],
            },
            state: ChannelState::Active,
            created_at: Timestamp::default(),
            revision: 1,
        };
        let relative = |channel: &Channel, path: &str| channel.relative(&path.parse().unwrap());
        let prices = channel("/out/prices", &[]);
        assert_eq!(
            relative(&prices, "/out/prices/a.csv").as_deref(),
            Some("a.csv")
        );
        assert_eq!(
            relative(&prices, "/out/prices/eu/a.csv").as_deref(),
            Some("eu/a.csv")
        );
        assert_eq!(relative(&prices, "/out/prices2/a.csv"), None);
        assert_eq!(relative(&prices, "/out/prices/a.tmp"), None);
        let root = channel("/", &["eu/*.csv"]);
        assert_eq!(relative(&root, "/eu/a.csv").as_deref(), Some("eu/a.csv"));
        assert_eq!(relative(&root, "/a.csv"), None);
    }

    #[test]
    fn names_are_plain() {
        for good in ["a", "9-lives", "prices-eu"] {
            assert!(good.parse::<ChannelName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a_b", "a b", &"a".repeat(64)] {
            assert!(bad.parse::<ChannelName>().is_err(), "{bad}");
        }
    }
}
