//! Connectors: the kinds of remotes that there are.

use bailee_auth::{Action, Caller, Resource};
use bailee_model::{Error, ErrorKind, RemoteKind, Result};

use crate::Core;
use crate::gate::Ask;
use crate::ports::{ConnectorAbilities, RemoteProber};

/// The kinds of remotes that there are.
pub struct Connectors<'a> {
    pub(crate) core: &'a Core,
}

impl Connectors<'_> {
    /// All kinds, and what their connectors can do.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<(RemoteKind, ConnectorAbilities)>> {
        let ask = Ask {
            operation: "connectors.list",
            action: Action::RemoteRead,
            resource: &Resource::Tenant,
            what: "remote",
        };
        self.core.enter(caller, ask).await?;
        let prober = self.core.reach()?;
        let kinds = RemoteKind::ALL.iter();
        Ok(kinds.map(|kind| (*kind, prober.abilities(*kind))).collect())
    }
}

impl Core {
    /// The means to reach remotes.
    pub(crate) fn reach(&self) -> Result<&dyn RemoteProber> {
        let prober = self.prober.get().ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "This node does not reach remotes.").retry_after(60)
        })?;
        Ok(&**prober)
    }
}
