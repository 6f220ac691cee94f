//! Tenants, for the operator of the installation.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Error, ErrorKind, Page, PageRequest, Result, Tenant, TenantId, TenantState, Usage,
};
use bailee_store::{DbError, conflict};

use crate::files::RACES_MAX;
use crate::gate::Ask;
use crate::idempotency::{earlier, made, made_secret, not_shown_before};
use crate::journal::Note;
use crate::{Core, FirstTenant, SYSTEM_TENANT, checks, error, setup};

/// The tenants of the installation.
pub struct Tenants<'a> {
    pub(crate) core: &'a Core,
}

/// A tenant to be made.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// Unique in the installation.
    pub name: String,
    /// Bytes it may store.
    pub quota_bytes: Option<u64>,
    /// File versions it may store.
    pub quota_files: Option<u64>,
}

/// What changes of a tenant; `Some(None)` lifts a bound.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    /// A new name.
    pub name: Option<String>,
    /// Bytes it may store.
    pub quota_bytes: Option<Option<u64>>,
    /// File versions it may store.
    pub quota_files: Option<Option<u64>>,
}

impl Core {
    /// Whether the caller may read about the installation itself: its versions and metrics.
    pub async fn admit_operator(&self, caller: &Caller, operation: &'static str) -> Result<()> {
        let tenants = Tenants { core: self };
        tenants
            .enter(caller, operation, Action::SystemRead)
            .await
            .map(drop)
    }
}

impl Tenants<'_> {
    /// Makes a tenant with an administrator, whose first key is shown once.
    pub async fn create(&self, caller: &Caller, new: NewTenant) -> Result<FirstTenant> {
        not_shown_before(caller)?;
        let permit = self
            .enter(caller, "tenants.create", Action::TenantManage)
            .await?;
        checks::text("#/name", &new.name)?;
        let mut tenant = self.core.new_tenant(&new.name);
        tenant.quota_bytes = new.quota_bytes;
        tenant.quota_files = new.quota_files;
        let mut own = self.core.store.change(&permit);
        let note = Note::record("tenants.create").about(tenant.id);
        own.journal(&self.core.permitted(caller, &permit, note));
        made_secret(&mut own, tenant.id)?;
        let made = self.core.make_tenant(tenant, "tenants.create", Some(own));
        made.await
    }

    /// Tenants, newest first.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Tenant>> {
        self.enter(caller, "tenants.list", Action::SystemRead)
            .await?;
        let mut found = self
            .core
            .store
            .identity()
            .tenants(&page)
            .await
            .map_err(error::from_db)?;
        found.data.retain(|tenant| tenant.id != SYSTEM_TENANT);
        Ok(found)
    }

    /// One tenant.
    pub async fn get(&self, caller: &Caller, id: TenantId) -> Result<Tenant> {
        self.enter(caller, "tenants.get", Action::SystemRead)
            .await?;
        self.find(id).await
    }

    /// Changes a tenant's name and quotas.
    pub async fn update(
        &self,
        caller: &Caller,
        id: TenantId,
        change: TenantChange,
    ) -> Result<Tenant> {
        let name = change.name.as_deref();
        name.map_or(Ok(()), |name| checks::text("#/name", name))?;
        self.write(caller, id, "tenants.update", |tenant| {
            if let Some(name) = name {
                name.clone_into(&mut tenant.name);
            }
            tenant.quota_bytes = change.quota_bytes.unwrap_or(tenant.quota_bytes);
            tenant.quota_files = change.quota_files.unwrap_or(tenant.quota_files);
        })
        .await
    }

    /// Stops every credential of a tenant; its data stays.
    pub async fn suspend(&self, caller: &Caller, id: TenantId) -> Result<Tenant> {
        self.write(caller, id, "tenants.suspend", |tenant| {
            tenant.state = TenantState::Suspended;
        })
        .await
    }

    /// Lets a suspended tenant's credentials work again.
    pub async fn activate(&self, caller: &Caller, id: TenantId) -> Result<Tenant> {
        self.write(caller, id, "tenants.activate", |tenant| {
            tenant.state = TenantState::Active;
        })
        .await
    }

    /// What a tenant stores.
    pub async fn usage(&self, caller: &Caller, id: TenantId) -> Result<(Tenant, Usage)> {
        self.enter(caller, "tenants.usage", Action::SystemRead)
            .await?;
        let tenant = self.find(id).await?;
        let usage = self
            .core
            .store
            .identity()
            .reader(id)
            .usage()
            .await
            .map_err(error::from_db)?;
        Ok((tenant, usage))
    }

    async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
    ) -> Result<Permit> {
        // The role and the scope exist only in the system tenant; this is the second line.
        if caller.tenant() != SYSTEM_TENANT && caller.scopes().hold(action.scope()) {
            return Err(Error::new(
                ErrorKind::PolicyDenied,
                "Only the operator of the installation may do this.",
            ));
        }
        let ask = Ask {
            operation,
            action,
            resource: &Resource::System,
            what: "tenant",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, id: TenantId) -> Result<Tenant> {
        let found = self
            .core
            .store
            .identity()
            .reader(id)
            .own_tenant()
            .await
            .map_err(error::from_db)?;
        let found = found
            .map(|(tenant, _)| tenant)
            .filter(|tenant| tenant.id != SYSTEM_TENANT);
        found.ok_or_else(|| Error::not_found("tenant"))
    }

    async fn write(
        &self,
        caller: &Caller,
        id: TenantId,
        operation: &'static str,
        act: impl Fn(&mut Tenant),
    ) -> Result<Tenant> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.enter(caller, operation, Action::TenantManage).await?;
        for _ in 0..RACES_MAX {
            let old = self.find(id).await?;
            let mut tenant = old.clone();
            act(&mut tenant);
            let note = || Note::record(operation).about(id);
            let mut change = self.core.store.identity().change(id);
            change.put_tenant(&tenant, &old);
            // The tenant's own journal tells that it was done, and by whom; so does the operator's.
            change.journal(&self.core.permitted(caller, &permit, note()));
            let mut own = self.core.store.change(&permit);
            own.journal(&self.core.permitted(caller, &permit, note()));
            made(&mut own, &tenant)?;
            match change.and(own).commit().await {
                Ok(()) => {
                    self.core.keyring.forget(id);
                    self.core.credentials.forget();
                    return Ok(tenant);
                }
                Err(DbError::Conflict(conflict::TENANT_NAME)) => {
                    return Err(setup::tenant_name_taken());
                }
                Err(DbError::Conflict(conflict::TENANT_CHANGED)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("tenant"))
    }
}
