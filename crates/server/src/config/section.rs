use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bailee_model::limit;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::secret::{self, Secret};
use crate::listen;
use crate::log::LogFormat;
use crate::tls::MinVersion;

/// All settings. Made by [`Loaded::load`](super::Loaded::load).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The HTTPS listener.
    pub server: Server,
    /// Its certificate.
    pub tls: Tls,
    /// Where everything is kept.
    pub data: Data,
    /// Rows.
    pub database: Database,
    /// The root of the key hierarchy.
    pub keys: Keys,
    /// Bounds of connections.
    pub limits: Limits,
    /// Requests in time.
    pub rate_limits: RateLimits,
    /// Outgoing calls.
    pub egress: Egress,
    /// The connector for folders of this machine.
    pub local: Local,
    /// What of this machine secrets may refer to.
    pub secrets: Secrets,
    /// Bounds of uploads.
    pub uploads: Uploads,
    /// Bounds of transfers.
    pub transfers: Transfers,
    /// The event feed.
    pub events: Events,
    /// Logs.
    pub log: Log,
    /// Metrics.
    pub metrics: Metrics,
}

/// `[server]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port of the listener.
    pub listen: SocketAddr,
    /// Values of `Host` that are served; empty means all.
    pub hostnames: Vec<String>,
    /// Patience with running requests when stopping.
    pub drain_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            hostnames: Vec::new(),
            drain_seconds: 30,
        }
    }
}

/// `[tls]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// PEM file of the certificate and its chain.
    pub certificate: Option<PathBuf>,
    /// PEM file of the private key.
    pub private_key: Option<PathBuf>,
    /// The oldest protocol version.
    pub min_version: MinVersion,
}

/// `[data]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// The data folder.
    pub path: PathBuf,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            path: PathBuf::from("/var/lib/bailee"),
        }
    }
}

/// Which database holds the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseKind {
    /// SQLite in the data folder.
    #[default]
    Sqlite,
    /// PostgreSQL at a URL.
    Postgres,
}

/// `[database]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Which one.
    pub kind: DatabaseKind,
    /// From the environment only; see [`Self::url`].
    #[serde(skip_serializing)]
    url: Option<Secret>,
    /// File with the URL.
    pub url_file: Option<PathBuf>,
    /// Connections at a time.
    pub pool: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            kind: DatabaseKind::default(),
            url: None,
            url_file: None,
            pool: 16,
        }
    }
}

impl Database {
    /// The URL with its password, from the environment or read from `url_file` now; `None` when neither is set.
    pub fn url(&self) -> Result<Option<SecretString>, ConfigError> {
        secret::find(self.url.as_ref(), self.url_file.as_deref())
    }
}

/// `[keys]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// From the environment only; see [`Self::root_key`].
    #[serde(skip_serializing)]
    root_key: Option<Secret>,
    /// File with the root key.
    pub root_key_file: Option<PathBuf>,
}

impl Keys {
    /// The root key as text, from the environment or read from `root_key_file` now; `None` when neither is set.
    pub fn root_key(&self) -> Result<Option<SecretString>, ConfigError> {
        secret::find(self.root_key.as_ref(), self.root_key_file.as_deref())
    }
}

/// `[limits]`: see [`listen::Limits`] for the meaning of each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each key is explained where it acts, in listen::Limits"
)]
pub struct Limits {
    pub connections: usize,
    pub connections_per_address: usize,
    pub header_bytes: u32,
    pub handshake_seconds: u64,
    pub header_seconds: u64,
    pub idle_seconds: u64,
    pub body_window_seconds: u64,
    pub body_window_bytes: u64,
    pub answer_window_seconds: u64,
    pub stream_stall_seconds: u64,
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = listen::Limits::default();
        Self {
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            header_bytes: limits.header_bytes,
            handshake_seconds: limits.handshake.as_secs(),
            header_seconds: limits.header_read.as_secs(),
            idle_seconds: limits.idle.as_secs(),
            body_window_seconds: limits.body_window.as_secs(),
            body_window_bytes: limits.body_window_bytes,
            answer_window_seconds: limits.answer_window.as_secs(),
            stream_stall_seconds: limits.stream_stall.as_secs(),
            streams: limits.streams,
        }
    }
}

impl Config {
    /// The bounds of the listener.
    pub fn listen_limits(&self) -> listen::Limits {
        let limits = &self.limits;
        listen::Limits {
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            header_bytes: limits.header_bytes,
            handshake: Duration::from_secs(limits.handshake_seconds),
            header_read: Duration::from_secs(limits.header_seconds),
            idle: Duration::from_secs(limits.idle_seconds),
            body_window: Duration::from_secs(limits.body_window_seconds),
            body_window_bytes: limits.body_window_bytes,
            answer_window: Duration::from_secs(limits.answer_window_seconds),
            stream_stall: Duration::from_secs(limits.stream_stall_seconds),
            streams: limits.streams,
            drain: Duration::from_secs(self.server.drain_seconds),
            ..listen::Limits::default()
        }
    }
}

/// `[rate_limits]`: requests in each window.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Length of the window.
    pub window_seconds: u64,
    /// Reads of a credential.
    pub read: u32,
    /// Writes of a credential.
    pub write: u32,
    /// Attempts of an address to present a credential.
    pub auth: u32,
    /// Reads of states (transfers, jobs) of a credential.
    pub status: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            window_seconds: 60,
            read: 600,
            write: 600,
            auth: 100,
            status: 1800,
        }
    }
}

/// `[egress]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Egress {
    /// Networks that outgoing calls may reach although they are private.
    pub allow: Vec<Network>,
}

/// A network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(pub IpNet);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
            .map(Self)
            .map_err(|_| format!("{text:?} is not a network such as \"10.0.0.0/8\""))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

/// `[local]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Local {
    /// Folders that the connector `local` may use.
    pub allow_folders: Vec<PathBuf>,
}

/// `[secrets]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// Variables of the environment that secrets of tenants may refer to.
    pub allow_variables: Vec<String>,
    /// Files that secrets of tenants may refer to, and folders below which they may be.
    pub allow_files: Vec<PathBuf>,
}

/// `[uploads]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Uploads {
    /// The largest file.
    pub max_file_bytes: u64,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            max_file_bytes: limit::FILE_BYTES_MAX,
        }
    }
}

/// `[transfers]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transfers {
    /// Under way at once on this node.
    pub running: usize,
    /// Of these, of one tenant.
    pub running_per_tenant: usize,
    /// Of one tenant, not ended.
    pub open_per_tenant: u64,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            running: limit::TRANSFERS_RUNNING,
            running_per_tenant: limit::TRANSFERS_RUNNING_PER_TENANT,
            open_per_tenant: limit::OPEN_TRANSFERS_MAX,
        }
    }
}

/// `[events]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// How far the feed goes back.
    pub kept_seconds: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            kept_seconds: limit::EVENTS_KEPT.as_secs(),
        }
    }
}

/// `[log]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A level, or a filter by module.
    pub level: String,
    /// For machines or for people.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::default(),
        }
    }
}

/// `[metrics]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Whether `/metrics` answers.
    pub enabled: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { enabled: true }
    }
}
