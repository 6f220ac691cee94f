//! API keys: credentials for programs.

use bailee_model::{KeyId, PrincipalId, Scopes, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::words;
use crate::{Links, List, Patch, SecretText, object};

words! {
    /// Whether an API key is good.
    KeyState {
        /// It is.
        Active = "active",
        /// Its time ran out.
        Expired = "expired",
        /// It was revoked and never comes back.
        Revoked = "revoked",
    }
}

/// Rate limits of one key; null or absent is the installation's figure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeyLimits {
    /// Reads in any 60 seconds.
    #[schema(required)]
    pub reads_per_minute: Option<u32>,
    /// Writes in any 60 seconds.
    #[schema(required)]
    pub writes_per_minute: Option<u32>,
}

/// Body of `POST /api-keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "nightly", "scopes": ["files:read", "files:write"], "path_prefixes": ["/reports"]}))]
pub struct CreateApiKey {
    /// For people.
    pub name: String,
    /// The most it can do; never more than the caller can.
    #[schema(value_type = Vec<crate::auth::Scope>)]
    pub scopes: Scopes,
    /// Whose key it is; the caller's own when absent.
    #[schema(value_type = Option<String>, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub principal_id: Option<PrincipalId>,
    /// Folders outside which the key sees nothing; empty is no bound.
    #[serde(default)]
    pub path_prefixes: Vec<String>,
    /// Networks in CIDR notation from which the key is taken; empty is no bound.
    #[serde(default)]
    pub allowed_networks: Vec<String>,
    /// From when on it is refused; 90 days from now when absent.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub expires_at: Option<Timestamp>,
    /// Rate limits of its own.
    #[serde(default, deserialize_with = "object::or_null")]
    pub limits: Option<KeyLimits>,
}

/// Body of `PATCH /api-keys/{key_id}`: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeApiKey {
    /// For people.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub name: Option<String>,
    /// All scopes anew.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Vec<crate::auth::Scope>, required = false)]
    pub scopes: Option<Scopes>,
    /// All folders anew; null lifts the bound.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<Vec<String>>)]
    pub path_prefixes: Patch<Vec<String>>,
    /// All networks anew; null lifts the bound.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_networks: Patch<Vec<String>>,
    /// From when on it is refused; null is never.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub expires_at: Patch<Timestamp>,
    /// Rate limits of its own; null is the installation's.
    #[serde(
        default,
        skip_serializing_if = "Patch::is_keep",
        deserialize_with = "object::patch"
    )]
    #[schema(value_type = Option<KeyLimits>)]
    pub limits: Patch<KeyLimits>,
}

/// An API key: answered by create, read, change and rotate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "key_id": "key_01m7yp4nyyevr88y42wdngtn4v", "name": "nightly", "principal_id": "svc_01m7yp4pz8ev5b9ts55c7j3qdp",
    "scopes": ["files:read", "files:write"], "path_prefixes": ["/reports"], "allowed_networks": [],
    "limits": {"reads_per_minute": null, "writes_per_minute": null}, "state": "active", "api_key": null,
    "expires_at": "2027-02-19T09:14:00.000Z", "created_at": "2026-11-21T09:14:00.000Z",
    "last_used_at": null, "rotated_at": null, "revoked_at": null,
    "links": {"self": "/v1/api-keys/key_01m7yp4nyyevr88y42wdngtn4v"}
}))]
pub struct ApiKey {
    /// Names the key; no secret.
    #[schema(value_type = String, example = "key_01m7yp4nyyevr88y42wdngtn4v")]
    pub key_id: KeyId,
    /// For people.
    pub name: String,
    /// Whose key it is.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub principal_id: PrincipalId,
    /// The most it can do.
    #[schema(value_type = Vec<crate::auth::Scope>)]
    pub scopes: Scopes,
    /// Folders outside which the key sees nothing; empty is no bound.
    pub path_prefixes: Vec<String>,
    /// Networks in CIDR notation from which the key is taken; empty is no bound.
    pub allowed_networks: Vec<String>,
    /// Rate limits of its own.
    pub limits: KeyLimits,
    /// Whether it is good.
    pub state: KeyState,
    /// The key itself, to be sent as `Authorization: Bearer`: only in the answers to create and rotate, else null.
    #[schema(value_type = Option<String>, required)]
    pub api_key: Option<SecretText>,
    /// From when on it is refused; null is never.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub expires_at: Option<Timestamp>,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// When it was last used, to within minutes; null is never.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub last_used_at: Option<Timestamp>,
    /// When its newest secret was made, if not at creation.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub rotated_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub revoked_at: Option<Timestamp>,
    /// Where it is found.
    pub links: Links,
}

/// A page of API keys.
pub type ApiKeyList = List<ApiKey>;

/// Body of `POST /api-keys/{key_id}/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateApiKey {
    /// How long the old secret stays good, in seconds; at most 30 days. It ends at once when absent.
    pub grace_seconds: Option<u64>,
}
