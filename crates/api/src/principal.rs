//! Users and service accounts.

use bailee_model::{self as model, ServiceAccountId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List};

words! {
    /// Whether a principal may act.
    PrincipalState {
        /// It may.
        Active = "active",
        /// It may not; its credentials answer 403.
        Disabled = "disabled",
    }
}
words_from!(bailee_model::PrincipalState => PrincipalState { Active, Disabled });

words! {
    /// A bundle of policies.
    Role {
        /// Everything in the tenant.
        Administrator = "administrator",
        /// Files, transfers and events.
        Member = "member",
        /// The journal, read only.
        Auditor = "auditor",
        /// Tenants and system operations of the installation, no content.
        Operator = "operator",
    }
}
words_from!(bailee_model::Role => Role { Administrator, Member, Auditor, Operator });

/// Body of `POST /users` and `POST /service-accounts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "nightly", "roles": ["member"]}))]
pub struct CreatePrincipal {
    /// Unique in the tenant among principals of its kind.
    pub name: String,
    /// What it may do; nothing when empty.
    #[serde(default)]
    #[schema(value_type = Vec<Role>)]
    pub roles: Vec<model::Role>,
}

/// Body of `PATCH` on a user or service account: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePrincipal {
    /// A new name.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub name: Option<String>,
    /// All roles anew.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Vec<Role>, required = false)]
    pub roles: Option<Vec<model::Role>>,
    /// Whether it may act.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = PrincipalState, required = false)]
    pub state: Option<model::PrincipalState>,
}

/// A person who may act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Names the user.
    #[schema(value_type = String, example = "usr_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub user_id: UserId,
    /// Unique among users of the tenant.
    #[schema(example = "ann")]
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Whether it may act.
    pub state: PrincipalState,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of users.
pub type UserList = List<User>;

/// A program that may act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceAccount {
    /// Names the service account.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub service_account_id: ServiceAccountId,
    /// Unique among service accounts of the tenant.
    #[schema(example = "nightly")]
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Whether it may act.
    pub state: PrincipalState,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of service accounts.
pub type ServiceAccountList = List<ServiceAccount>;
