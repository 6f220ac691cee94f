use serde::{Deserialize, Serialize};

use crate::{FolderPath, KeyId, PrincipalId, Scopes, Timestamp};

/// Whether an API key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It is, until it expires.
    Active,
    /// It was revoked and never comes back.
    Revoked,
}

/// One live secret of a key: its hash, and until when it is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySecret {
    /// SHA-256 of the secret, lower-case hex. The secret has 256 bits of chance, so a fast hash is enough.
    pub hash: String,
    /// The end of the grace period after a rotation; `None` for the newest secret.
    pub until: Option<Timestamp>,
}

/// What narrows a key below its principal's rights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyLimits {
    /// Folders outside which the key sees nothing; empty is no bound.
    pub path_prefixes: Vec<FolderPath>,
    /// Networks in CIDR notation from which the key is taken; empty is no bound.
    pub networks: Vec<String>,
    /// Reads a minute; `None` is the installation's figure.
    pub reads_per_minute: Option<u32>,
    /// Writes a minute; `None` is the installation's figure.
    pub writes_per_minute: Option<u32>,
}

/// A credential for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id; the same bits stand in the key text.
    pub id: KeyId,
    /// Whose key it is.
    pub principal: PrincipalId,
    /// For people.
    pub name: String,
    /// The most it can do.
    pub scopes: Scopes,
    /// What narrows it further.
    pub limits: KeyLimits,
    /// Whether it is good.
    pub state: KeyState,
    /// At most two: the newest, and the one before during its grace period.
    pub secrets: Vec<KeySecret>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// When the newest secret was made, if not at creation.
    pub rotated_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}
