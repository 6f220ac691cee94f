use bailee_api::ConnectorList;

use super::resource;
use crate::Result;
use crate::call::Call;

resource! {
    /// Connectors: the kinds of remotes that there are.
    Connectors, connectors
}

impl Connectors<'_> {
    /// All kinds, with what they can do and what they are made of.
    pub async fn list(&self) -> Result<ConnectorList> {
        self.0.json(Call::get("/connectors")).await
    }
}
