use bailee_model::{DecisionId, PrincipalId, Scope, TenantId};

use crate::{Action, Caller, Facts, RequestMark, Via};

/// Proof that policy allowed one caller one action on one resource.
///
/// Only [`crate::Policies::decide`] makes one, and it can be neither copied nor kept apart from its caller: whatever
/// takes a permit takes the tenant from it.
#[derive(Debug)]
pub struct Permit {
    caller: Caller,
    action: Action,
    decision: DecisionId,
}

impl Permit {
    pub(crate) fn new(caller: Caller, action: Action, decision: DecisionId) -> Self {
        Self {
            caller,
            action,
            decision,
        }
    }

    /// The tenant in which the action was allowed: the caller's.
    pub fn tenant(&self) -> TenantId {
        self.caller.tenant()
    }

    /// Who was allowed.
    pub fn principal(&self) -> PrincipalId {
        self.caller.principal()
    }

    /// How the journal names it.
    pub fn label(&self) -> &str {
        self.caller.label()
    }

    /// By which credential it came.
    pub fn via(&self) -> &Via {
        self.caller.via()
    }

    /// The mark of the request for which it was allowed: what changes rows by this permit says in the same
    /// transaction what it made.
    pub fn mark(&self) -> Option<&RequestMark> {
        self.caller.mark()
    }

    /// What was allowed.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Names the decision in answers and in the journal.
    pub fn decision(&self) -> DecisionId {
        self.decision
    }

    /// The request for which it was allowed.
    pub fn caller_facts(&self) -> &Facts {
        self.caller.facts()
    }
}

/// Why policy said no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The credential lacks this scope.
    #[error("the credential lacks the scope {0}")]
    InsufficientScope(Scope),
    /// The path lies outside the credential's prefixes.
    #[error("the path lies outside the credential's path prefixes")]
    OutsidePathPrefixes,
    /// No policy permits it to any of the caller's roles.
    #[error("no role of the caller permits it")]
    Role,
    /// The policy with this id forbids it.
    #[error("the policy {0} forbids it")]
    Forbidden(String),
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{decision}: {reason}")]
pub struct Denied {
    /// Names the decision in answers and in the journal.
    pub decision: DecisionId,
    /// Why.
    pub reason: Reason,
    /// Whether the caller may know that the resource is there. If not, the answer must be that of a missing one.
    pub visible: bool,
}
