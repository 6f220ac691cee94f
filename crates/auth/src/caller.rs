//! Who asks: made once per request, at the door, from a credential that was verified.

use std::net::IpAddr;
use std::sync::Arc;

use bailee_model::{
    FlowRunId, FolderPath, KeyId, PrincipalId, RequestId, Role, ScheduleId, Scopes, TenantId,
    Timestamp, TransferId,
};

/// Which credential stands behind a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// An API key.
    ApiKey(KeyId),
    /// A transfer, which acts with the rights that its creator has now.
    Transfer(TransferId),
    /// A schedule, which acts with the rights that whoever changed it last has now.
    Schedule {
        /// Which.
        schedule: ScheduleId,
        /// The key that it was changed with, whose limits bind it.
        key: KeyId,
    },
    /// A run of a flow, which acts with the rights that its principal has now.
    Flow {
        /// Which.
        run: FlowRunId,
        /// The key that the flow was saved with; it ends with a revoked one.
        key: Option<KeyId>,
    },
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
pub struct Caller {
    credential: VerifiedCredential,
    operation: Option<Arc<str>>,
    mark: Option<Arc<RequestMark>>,
}

/// The mark of a request that must not happen twice: what does its work says so in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestMark {
    /// Who sent it, and by which credential.
    pub caller: String,
    /// The operation.
    pub route: String,
    /// The client's key.
    pub key: String,
    /// This run.
    pub token: String,
    /// What an earlier run made whose answer was lost, in core's form.
    pub result: Option<String>,
}

impl Caller {
    /// The caller behind a verified credential: the only way to make one.
    pub fn verified(credential: VerifiedCredential) -> Self {
        Self {
            credential,
            operation: None,
            mark: None,
        }
    }

    /// The same caller, asking for an operation of the API.
    #[must_use]
    pub fn asking_for(self, operation: Arc<str>) -> Self {
        Self {
            operation: Some(operation),
            ..self
        }
    }

    /// The operation that its request is; the journal calls whatever comes of the request by this name.
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// The same caller, sending a marked request.
    #[must_use]
    pub fn marked(&self, mark: RequestMark) -> Self {
        Self {
            mark: Some(Arc::new(mark)),
            ..self.clone()
        }
    }

    /// The mark of its request.
    pub fn mark(&self) -> Option<&RequestMark> {
        self.mark.as_deref()
    }

    /// The only tenant whose objects this caller can reach.
    pub fn tenant(&self) -> TenantId {
        self.credential.tenant
    }

    /// Who it is.
    pub fn principal(&self) -> PrincipalId {
        self.credential.principal
    }

    /// How the journal names it.
    pub fn label(&self) -> &str {
        &self.credential.label
    }

    /// Its roles.
    pub fn roles(&self) -> &[Role] {
        &self.credential.roles
    }

    /// The scopes of its credential.
    pub fn scopes(&self) -> &Scopes {
        &self.credential.scopes
    }

    /// Its credential.
    pub fn via(&self) -> &Via {
        &self.credential.via
    }

    /// Folders outside which its credential sees nothing; empty is no bound.
    pub fn path_prefixes(&self) -> &[FolderPath] {
        &self.credential.path_prefixes
    }

    /// The request.
    pub fn facts(&self) -> &Facts {
        &self.credential.facts
    }
}
