use bailee_api::{ChangeTenant, CreateTenant, Tenant, TenantUsage};
use bailee_model::TenantId;

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Tenants, for the operator of the installation.
    Tenants, tenants
}

impl Tenants<'_> {
    /// Makes a tenant. The answer, and no later one, holds its administrator's API key.
    pub async fn create(&self, tenant: &CreateTenant) -> Result<Tenant> {
        self.0.json(Call::post("/tenants").json(tenant)?).await
    }

    /// All tenants, newest first.
    pub fn list(&self) -> Listing<Tenant> {
        Listing::new(self.0, Call::get("/tenants"))
    }

    /// One of them.
    pub async fn get(&self, tenant: TenantId) -> Result<Tenant> {
        self.0.json(Call::get(format!("/tenants/{tenant}"))).await
    }

    /// Changes name or quotas.
    pub async fn change(&self, tenant: TenantId, change: &ChangeTenant) -> Result<Tenant> {
        let call = Call::patch(format!("/tenants/{tenant}")).json(change)?;
        self.0.json(call).await
    }

    /// Refuses everything of this tenant from now on.
    pub async fn suspend(&self, tenant: TenantId) -> Result<Tenant> {
        self.0
            .json(Call::post(format!("/tenants/{tenant}/suspend")))
            .await
    }

    /// Ends a suspension.
    pub async fn activate(&self, tenant: TenantId) -> Result<Tenant> {
        self.0
            .json(Call::post(format!("/tenants/{tenant}/activate")))
            .await
    }

    /// What it uses.
    pub async fn usage(&self, tenant: TenantId) -> Result<TenantUsage> {
        self.0
            .json(Call::get(format!("/tenants/{tenant}/usage")))
            .await
    }
}
