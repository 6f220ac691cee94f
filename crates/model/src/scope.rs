use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The most that a credential can do, whatever its principal's policies allow.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($(#[$doc])* #[doc = concat!("`", $text, "`")] $name,)* }

        impl Scope {
            /// All scopes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The scope as on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

scopes! {
    FilesRead = "files:read";
    FilesWrite = "files:write";
    FilesDelete = "files:delete";
    TransfersRead = "transfers:read";
    TransfersWrite = "transfers:write";
    RemotesRead = "remotes:read";
    RemotesManage = "remotes:manage";
    FlowsRead = "flows:read";
    FlowsManage = "flows:manage";
    ApprovalsDecide = "approvals:decide";
    WebhooksManage = "webhooks:manage";
    AlertsRead = "alerts:read";
    AlertsManage = "alerts:manage";
    EventsRead = "events:read";
    IdentityRead = "identity:read";
    IdentityManage = "identity:manage";
    AuditRead = "audit:read";
    SettingsRead = "settings:read";
    SettingsManage = "settings:manage";
    /// Everything in one tenant.
    Admin = "admin";
    /// The operator of the installation: tenants and system operations, no content.
    System = "system";
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text)
            .ok_or(())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(input)?;
        text.parse()
            .map_err(|()| serde::de::Error::custom("unknown scope"))
    }
}

/// A set of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(std::collections::BTreeSet<Scope>);

impl Scopes {
    /// Whether `scope` is held. `admin` holds all of them in its tenant, but never `system`.
    pub fn hold(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || (scope != Scope::System && self.0.contains(&Scope::Admin))
    }

    /// Whether everything in `others` is held: a credential cannot hand out more than it has.
    pub fn hold_all(&self, others: &Self) -> bool {
        others.0.iter().all(|scope| self.hold(*scope))
    }

    /// The scopes, sorted.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}
