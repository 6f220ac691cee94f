use serde::{Deserialize, Serialize};

use crate::{NameRule, TenantId, Timestamp};

/// Whether a tenant's principals may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// They may.
    Active,
    /// They may not; every credential of the tenant answers 403.
    Suspended,
}

/// What an administrator of the tenant may set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantSettings {
    /// Which names new files and folders may have.
    pub name_rule: NameRule,
    /// Whether content whose sniffed type contradicts the declared one is refused (422) instead of recorded.
    pub refuse_type_mismatch: bool,
    /// Whether changes without `If-Match` are refused (428).
    pub require_if_match: bool,
    /// How long deleted files can be restored, in seconds; `None` is the default of the installation.
    pub trash_seconds: Option<u64>,
}

/// The customer whose data is kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id: minted from the credential, in no URL below `/tenants` and in no body.
    pub id: TenantId,
    /// Unique in the installation.
    pub name: String,
    /// Whether its principals may act.
    pub state: TenantState,
    /// Bytes it may store, trash and old versions included; `None` is no bound.
    pub quota_bytes: Option<u64>,
    /// File versions it may store; `None` is no bound.
    pub quota_files: Option<u64>,
    /// What its administrators set.
    pub settings: TenantSettings,
    /// Since when it exists.
    pub created_at: Timestamp,
}

/// What a tenant stores now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all file versions, trash and parts of open uploads included.
    pub bytes: u64,
    /// File versions, trash included.
    pub files: u64,
}
