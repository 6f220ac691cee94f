use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{RemoteId, Timestamp};

/// Which connector speaks to a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoteKind {
    /// A server of the SSH file transfer protocol.
    Sftp,
    /// A folder of this machine that the operator allows.
    Local,
}

impl RemoteKind {
    /// The kind as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Local => "local",
        }
    }
}

/// A remote's name: `[a-z0-9][a-z0-9-]{0,62}`, not `bailee`. It stands before the colon in `bank:/in/a.csv`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RemoteName(String);

impl RemoteName {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RemoteName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if text.is_empty() || text.len() > 63 || !letters || text.starts_with('-') {
            return Err("a remote's name is 1 to 63 of a-z, 0-9 and -, and does not begin with -");
        }
        if text == "bailee" {
            return Err("the name `bailee` is reserved");
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for RemoteName {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for RemoteName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Where a remote is and who we are there; the secrets are kept apart, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RemoteAddress {
    /// An SFTP server.
    Sftp {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// Whom we sign in as.
        username: String,
        /// The pinned host key, as `SHA256:…` fingerprint; `None` until it is trusted.
        host_key: Option<String>,
        /// The folder that `/` of this remote means.
        base_path: String,
    },
    /// A folder of this machine.
    Local {
        /// One of the folders that the operator allows, or one below.
        folder: String,
    },
}

/// What kind of credential a remote has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoteSecretKind {
    /// A password.
    Password,
    /// A private key.
    PrivateKey,
}

/// A far system with address, credential and limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Its id.
    pub id: RemoteId,
    /// Unique in the tenant.
    pub name: RemoteName,
    /// Where it is.
    pub address: RemoteAddress,
    /// What kind of credential it has.
    pub secret_kind: Option<RemoteSecretKind>,
    /// The credential (password or private key with passphrase), sealed by the tenant's wrapping_key.
    pub sealed_secret: Option<Vec<u8>>,
    /// Transfers with it under way at once.
    pub concurrency: u32,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

impl Remote {
    /// Which connector speaks to it.
    pub fn kind(&self) -> RemoteKind {
        self.address.kind()
    }
}

impl RemoteAddress {
    /// Which connector speaks to it.
    pub fn kind(&self) -> RemoteKind {
        match self {
            Self::Sftp { .. } => RemoteKind::Sftp,
            Self::Local { .. } => RemoteKind::Local,
        }
    }
}
