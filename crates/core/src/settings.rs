//! What an administrator sets for the tenant.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{Error, Result, TenantSettings, Usage};

use crate::gate::Ask;
use crate::journal::Note;
use crate::{Core, error};

/// Longest time in the trash that can be set: ten years.
const TRASH_SECONDS_MAX: u64 = 10 * 365 * 24 * 3600;

/// The settings of the caller's tenant.
pub struct Settings<'a> {
    pub(crate) core: &'a Core,
}

impl Settings<'_> {
    /// The settings as they are.
    pub async fn read(&self, caller: &Caller) -> Result<TenantSettings> {
        let permit = self
            .enter(caller, "settings.read", Action::SettingsRead)
            .await?;
        Ok(self
            .core
            .tenant(permit.tenant())
            .await?
            .tenant
            .settings
            .clone())
    }

    /// What the tenant stores.
    pub async fn usage(&self, caller: &Caller) -> Result<Usage> {
        let permit = self
            .enter(caller, "settings.usage", Action::SettingsRead)
            .await?;
        self.core
            .store
            .reader(&permit)
            .usage()
            .await
            .map_err(error::from_db)
    }

    /// Changes settings; `act` gets them as they are now.
    pub async fn change(
        &self,
        caller: &Caller,
        act: impl FnOnce(&mut TenantSettings),
    ) -> Result<TenantSettings> {
        let permit = self
            .enter(caller, "settings.change", Action::SettingsManage)
            .await?;
        let found = self
            .core
            .store
            .reader(&permit)
            .own_tenant()
            .await
            .map_err(error::from_db)?;
        let (mut tenant, _) = found.ok_or_else(|| Error::not_found("tenant"))?;
        act(&mut tenant.settings);
        if tenant
            .settings
            .trash_seconds
            .is_some_and(|seconds| seconds > TRASH_SECONDS_MAX)
        {
            let detail = format!("At most {TRASH_SECONDS_MAX}.");
            return Err(Error::field("#/trash_seconds", "out_of_range", detail));
        }
        let settings = serde_json::to_value(&tenant.settings).unwrap_or_default();
        let mut change = self.core.store.change(&permit);
        change.put_tenant(&tenant);
        let note = Note::record("settings.change").with(settings);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        self.core.keyring.forget(permit.tenant());
        self.core.credentials.forget();
        Ok(tenant.settings)
    }

    async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
    ) -> Result<Permit> {
        let ask = Ask {
            operation,
            action,
            resource: &Resource::Tenant,
            what: "settings",
        };
        self.core.enter(caller, ask).await
    }
}
