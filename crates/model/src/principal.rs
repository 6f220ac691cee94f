use serde::{Deserialize, Serialize};

use crate::{PrincipalId, Timestamp};

/// Whether a principal is a person or a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A program.
    ServiceAccount,
}

/// Whether a principal may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalState {
    /// It may.
    Active,
    /// It may not; its credentials answer 403.
    Disabled,
}

/// A bundle of built-in policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything in the tenant.
    Administrator,
    /// Files, transfers and events.
    Member,
    /// The journal, read only.
    Auditor,
    /// Tenants and system operations of the installation, no content. Only in the system tenant.
    Operator,
}

impl Role {
    /// All roles.
    pub const ALL: &'static [Self] = &[
        Self::Administrator,
        Self::Member,
        Self::Auditor,
        Self::Operator,
    ];

    /// The role as on the wire and in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}

/// Whoever may act in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Its id; also says which kind it is.
    pub id: PrincipalId,
    /// Unique in the tenant and kind.
    pub name: String,
    /// Whether it may act.
    pub state: PrincipalState,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Since when it exists.
    pub created_at: Timestamp,
}

impl Principal {
    /// Whether this is a person or a program.
    pub fn kind(&self) -> PrincipalKind {
        match self.id {
            PrincipalId::User(_) => PrincipalKind::User,
            PrincipalId::ServiceAccount(_) => PrincipalKind::ServiceAccount,
        }
    }

    /// How the journal names it: `usr:ann`, `svc:nightly`.
    pub fn label(&self) -> String {
        match self.id {
            PrincipalId::User(_) => format!("usr:{}", self.name),
            PrincipalId::ServiceAccount(_) => format!("svc:{}", self.name),
        }
    }
}
