//! Who the caller is.

use bailee_model::{KeyId, PrincipalId, Scopes, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::word::{words, words_from};

words! {
    /// What kind of principal a credential belongs to.
    PrincipalType {
        /// A person.
        User = "user",
        /// A program.
        ServiceAccount = "service_account",
    }
}
words_from!(bailee_model::PrincipalKind => PrincipalType { User, ServiceAccount });

words! {
    /// How the caller proved who it is.
    AuthMethod {
        /// By an API key.
        ApiKey = "api_key",
    }
}

/// How the API document describes [`bailee_model::Scope`]; never made.
pub(crate) enum Scope {}

impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        let known: Vec<&str> = bailee_model::Scope::ALL
            .iter()
            .map(|scope| scope.as_str())
            .collect();
        crate::word::schema(&known)
    }
}

impl ToSchema for Scope {}

/// The answer to `GET /auth/validate`: the credential is good, and this is whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    /// Always true; a credential that is not good is answered with a problem.
    pub valid: bool,
    /// Who calls.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub principal_id: PrincipalId,
    /// Whether that is a person or a program.
    pub principal_type: PrincipalType,
    /// The tenant that the credential belongs to.
    #[schema(value_type = String, example = "ten_01m7yp4qfdf46bs8r42wfv2z13")]
    pub tenant_id: TenantId,
    /// How the caller proved it.
    pub auth_method: AuthMethod,
    /// The most the credential can do.
    #[schema(value_type = Vec<Scope>)]
    pub scopes: Scopes,
    /// The API key, if one was used.
    #[schema(value_type = Option<String>, example = "key_01m7yp4nyyevr88y42wdngtn4v", required)]
    pub key_id: Option<KeyId>,
    /// From when on the credential is refused; null is never.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub expires_at: Option<Timestamp>,
}
