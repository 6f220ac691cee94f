use bailee_api::{ChangeSettings, Settings};

use super::resource;
use crate::Result;
use crate::call::Call;

resource! {
    /// Settings of the caller's tenant.
    TenantSettings, settings
}

impl TenantSettings<'_> {
    /// All settings, each with its source.
    pub async fn read(&self) -> Result<Settings> {
        self.0.json(Call::get("/settings")).await
    }

    /// Changes some.
    pub async fn change(&self, change: &ChangeSettings) -> Result<Settings> {
        self.0.json(Call::patch("/settings").json(change)?).await
    }
}
