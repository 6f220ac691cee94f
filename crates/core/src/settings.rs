//! What an administrator sets for the tenant.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{Error, Result, TenantSettings, Usage};
use bailee_store::{DbError, conflict};

use crate::files::RACES_MAX;
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

    /// Changes settings; `act` gets them as they are now, and again when somebody else changed the tenant meanwhile.
    pub async fn change(
        &self,
        caller: &Caller,
        act: impl Fn(&mut TenantSettings),
    ) -> Result<TenantSettings> {
        let permit = self
            .enter(caller, "settings.change", Action::SettingsManage)
            .await?;
        for _ in 0..RACES_MAX {
            let found = self.core.store.reader(&permit).own_tenant().await;
            let found = found.map_err(error::from_db)?;
            let (old, _) = found.ok_or_else(|| Error::not_found("tenant"))?;
            let mut tenant = old.clone();
            act(&mut tenant.settings);
            check(&tenant.settings)?;
            let settings = serde_json::to_value(&tenant.settings).unwrap_or_default();
            let mut change = self.core.store.change(&permit);
            change.put_tenant(&tenant, &old);
            let note = Note::record("settings.change").with(settings);
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => {
                    self.core.keyring.forget(permit.tenant());
                    self.core.credentials.forget();
                    return Ok(tenant.settings);
                }
                // The operator, or another administrator, was faster: theirs must not be undone.
                Err(DbError::Conflict(conflict::TENANT_CHANGED)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("tenant"))
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

fn check(settings: &TenantSettings) -> Result<()> {
    if settings
        .trash_seconds
        .is_some_and(|seconds| seconds > TRASH_SECONDS_MAX)
    {
        let detail = format!("At most {TRASH_SECONDS_MAX}.");
        return Err(Error::field("#/trash_seconds", "out_of_range", detail));
    }
    Ok(())
}
