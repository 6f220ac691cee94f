//! Who asks: made once per request, at the door, from a credential that was verified.

use std::net::IpAddr;
use std::sync::Arc;

use bailee_model::{
    FolderPath, KeyId, PrincipalId, RequestId, Role, Scopes, TenantId, Timestamp, TransferId,
};

/// Which credential stands behind a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// An API key.
    ApiKey(KeyId),
    /// A transfer, which acts with the rights that its creator has now.
    Transfer(TransferId),
}

/// Through which door a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The HTTP API.
    Rest,
    /// The engine, on behalf of a job.
    Job,
}

impl Door {
    /// As in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Job => "job",
        }
    }
}

/// What is known about one request.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The peer's address; `None` for jobs.
    pub address: Option<IpAddr>,
    /// Names the request in answers, logs and the journal.
    pub request: RequestId,
    /// When it began.
    pub now: Timestamp,
    /// Where it came in.
    pub door: Door,
}

/// The outcome of a verification: whatever makes one vouches for every field.
#[derive(Clone, Debug)]
pub struct VerifiedCredential {
    /// The tenant, from the credential and from nowhere else.
    pub tenant: TenantId,
    /// Whose credential it is.
    pub principal: PrincipalId,
    /// How the journal names the principal: `usr:ann`, `svc:nightly`.
    pub label: String,
    /// The principal's roles.
    pub roles: Vec<Role>,
    /// The credential's scopes.
    pub scopes: Scopes,
    /// The credential.
    pub via: Via,
    /// Folders outside which the credential sees nothing; empty is no bound.
    pub path_prefixes: Vec<FolderPath>,
    /// The request.
    pub facts: Facts,
}

/// A principal in its tenant, acting by a verified credential in one request.
#[derive(Clone, Debug)]
pub struct Caller(VerifiedCredential, Option<Arc<RequestMark>>);

/// The mark of a request that must not happen twice: what does its work says so in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestMark {
    /// The operation.
    pub route: String,
    /// The client's key.
    pub key: String,
    /// This run.
    pub token: String,
    /// What an earlier run made whose answer was lost.
    pub result: Option<String>,
}

impl Caller {
    /// The caller behind a verified credential: the only way to make one.
    pub fn verified(credential: VerifiedCredential) -> Self {
        Self(credential, None)
    }

    /// The same caller, sending a marked request.
    #[must_use]
    pub fn marked(&self, mark: RequestMark) -> Self {
        Self(self.0.clone(), Some(Arc::new(mark)))
    }

    /// The mark of its request.
    pub fn mark(&self) -> Option<&RequestMark> {
        self.1.as_deref()
    }

    /// The only tenant whose objects this caller can reach.
    pub fn tenant(&self) -> TenantId {
        self.0.tenant
    }

    /// Who it is.
    pub fn principal(&self) -> PrincipalId {
        self.0.principal
    }

    /// How the journal names it.
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// Its roles.
    pub fn roles(&self) -> &[Role] {
        &self.0.roles
    }

    /// The scopes of its credential.
    pub fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// Its credential.
    pub fn via(&self) -> &Via {
        &self.0.via
    }

    /// Folders outside which its credential sees nothing; empty is no bound.
    pub fn path_prefixes(&self) -> &[FolderPath] {
        &self.0.path_prefixes
    }

    /// The request.
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }
}
