//! Tenants: the customers whose data is kept apart. For the operator of the installation.

use bailee_model::{KeyId, PrincipalId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List, Patch, SecretText};

words! {
    /// Whether a tenant's principals may act.
    TenantState {
        /// They may.
        Active = "active",
        /// They may not; every credential of the tenant answers 403.
        Suspended = "suspended",
    }
}
words_from!(bailee_model::TenantState => TenantState { Active, Suspended });

/// Body of `POST /tenants`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "acme", "quota_bytes": 1_099_511_627_776_u64}))]
pub struct CreateTenant {
    /// Unique in the installation.
    pub name: String,
    /// Bytes it may store, trash and old versions included; no bound when absent.
    pub quota_bytes: Option<u64>,
    /// File versions it may store; no bound when absent.
    pub quota_files: Option<u64>,
}

/// Body of `PATCH /tenants/{tenant_id}`: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTenant {
    /// A new name.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub name: Option<String>,
    /// Bytes it may store; null lifts the bound.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<u64>)]
    pub quota_bytes: Patch<u64>,
    /// File versions it may store; null lifts the bound.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<u64>)]
    pub quota_files: Patch<u64>,
}

/// A tenant: answered by create, read, change, suspend and activate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// Names the tenant.
    #[schema(value_type = String, example = "ten_01m7yp4qfdf46bs8r42wfv2z13")]
    pub tenant_id: TenantId,
    /// Unique in the installation.
    #[schema(example = "acme")]
    pub name: String,
    /// Whether its principals may act.
    pub state: TenantState,
    /// Bytes it may store, trash and old versions included; null is no bound.
    #[schema(required)]
    pub quota_bytes: Option<u64>,
    /// File versions it may store; null is no bound.
    #[schema(required)]
    pub quota_files: Option<u64>,
    /// Its first administrator: only in the answer to create, else null.
    #[schema(required)]
    pub administrator: Option<TenantAdministrator>,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of tenants.
pub type TenantList = List<Tenant>;

/// The first administrator of a new tenant, with a key to begin with. Shown once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenantAdministrator {
    /// The administrator.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub principal_id: PrincipalId,
    /// The key's id.
    #[schema(value_type = String, example = "key_01m7yp4nyyevr88y42wdngtn4v")]
    pub key_id: KeyId,
    /// The key itself.
    #[schema(value_type = String)]
    pub api_key: SecretText,
    /// From when on the key is refused; null is never.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub expires_at: Option<Timestamp>,
}

/// What a tenant stores now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenantUsage {
    /// The tenant.
    #[schema(value_type = String, example = "ten_01m7yp4qfdf46bs8r42wfv2z13")]
    pub tenant_id: TenantId,
    /// Bytes of all file versions, trash and parts of open uploads included.
    pub bytes_used: u64,
    /// File versions, trash included.
    pub files_used: u64,
    /// Bytes it may store; null is no bound.
    #[schema(required)]
    pub quota_bytes: Option<u64>,
    /// File versions it may store; null is no bound.
    #[schema(required)]
    pub quota_files: Option<u64>,
}
