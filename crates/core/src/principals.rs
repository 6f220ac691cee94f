//! Users and service accounts.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Error, ErrorKind, Page, PageRequest, Principal, PrincipalId, PrincipalKind, PrincipalState,
    Result, Role, ServiceAccountId, UserId,
};
use bailee_store::{DbError, conflict};

use crate::files::RACES_MAX;
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{Core, SYSTEM_TENANT, checks, error};

/// The principals of the caller's tenant.
pub struct Principals<'a> {
    pub(crate) core: &'a Core,
}

/// A principal to be made.
#[derive(Clone, Debug)]
pub struct NewPrincipal {
    /// A person or a program.
    pub kind: PrincipalKind,
    /// Unique in the tenant and kind.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// What changes of a principal.
#[derive(Clone, Debug, Default)]
pub struct PrincipalChange {
    /// A new name.
    pub name: Option<String>,
    /// New roles.
    pub roles: Option<Vec<Role>>,
    /// Whether it may act.
    pub state: Option<PrincipalState>,
}

impl Principals<'_> {
    /// Makes a principal. It has no credential until it gets a key.
    pub async fn create(&self, caller: &Caller, new: NewPrincipal) -> Result<Principal> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self
            .enter_tenant(caller, "principals.create", Action::IdentityManage)
            .await?;
        checks::text("#/name", &new.name)?;
        let now = self.core.clock.now();
        let chance = &*self.core.chance;
        let principal = Principal {
            id: match new.kind {
                PrincipalKind::User => PrincipalId::User(UserId::new(now, chance)),
                PrincipalKind::ServiceAccount => {
                    PrincipalId::ServiceAccount(ServiceAccountId::new(now, chance))
                }
            },
            name: new.name,
            state: PrincipalState::Active,
            roles: admitted_roles(caller, new.roles)?,
            created_at: now,
        };
        let mut change = self.core.store.change(&permit);
        change.insert_principal(&principal);
        made(&mut change, &principal)?;
        let note = Note::record("principals.create")
            .about(principal.id)
            .with(serde_json::json!({ "name": principal.name, "roles": principal.roles }));
        change.journal(&self.core.permitted(caller, &permit, note));
        change
            .commit()
            .await
            .map_err(|error| named(error, &principal.name))?;
        Ok(principal)
    }

    /// Principals of a kind, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        kind: PrincipalKind,
        page: PageRequest,
    ) -> Result<Page<Principal>> {
        let permit = self
            .enter_tenant(caller, "principals.list", Action::IdentityRead)
            .await?;
        self.core
            .store
            .reader(&permit)
            .principals(kind, &page)
            .await
            .map_err(error::from_db)
    }

    /// One principal.
    pub async fn get(&self, caller: &Caller, id: PrincipalId) -> Result<Principal> {
        self.find(caller, "principals.get", Action::IdentityRead, id)
            .await
            .map(|(_, principal)| principal)
    }

    /// Renames a principal, changes its roles, disables or enables it.
    pub async fn update(
        &self,
        caller: &Caller,
        id: PrincipalId,
        change: PrincipalChange,
    ) -> Result<Principal> {
        change
            .name
            .as_deref()
            .map_or(Ok(()), |name| checks::text("#/name", name))?;
        for _ in 0..RACES_MAX {
            let (permit, old) = self
                .find(caller, "principals.update", Action::IdentityManage, id)
                .await?;
            let principal = changed(caller, &old, &change)?;
            let mut rows = self.core.store.change(&permit);
            rows.put_principal(&principal, &old);
            let note = Note::record("principals.update")
                .about(id)
                .with(serde_json::json!({ "roles": principal.roles, "state": principal.state }));
            rows.journal(&self.core.permitted(caller, &permit, note));
            match rows.commit().await {
                Ok(()) => {
                    self.core.credentials.forget();
                    return Ok(principal);
                }
                // Somebody else was faster: a principal that was just disabled must not come back.
                Err(DbError::Conflict(conflict::PRINCIPAL_CHANGED)) => {}
                Err(error) => return Err(named(error, &principal.name)),
            }
        }
        Err(error::too_fast("principal"))
    }

    /// Removes a principal that never had a key; others are disabled, so that the journal can still name them.
    pub async fn delete(&self, caller: &Caller, id: PrincipalId) -> Result<()> {
        let (permit, _) = self
            .find(caller, "principals.delete", Action::IdentityManage, id)
            .await?;
        let in_use = || {
            Error::new(
                ErrorKind::InUse,
                "It has keys; revoke them and disable it instead.",
            )
        };
        if self
            .core
            .store
            .reader(&permit)
            .count_keys(id)
            .await
            .map_err(error::from_db)?
            > 0
        {
            return Err(in_use());
        }
        let mut change = self.core.store.change(&permit);
        change.delete_principal(id);
        change.journal(&self.core.permitted(
            caller,
            &permit,
            Note::record("principals.delete").about(id),
        ));
        change.commit().await.map_err(|error| match error {
            DbError::Conflict("in_use") => in_use(),
            other => error::from_db(other),
        })
    }

    async fn enter_tenant(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
    ) -> Result<Permit> {
        let ask = Ask {
            operation,
            action,
            resource: &Resource::Tenant,
            what: "principal",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        id: PrincipalId,
    ) -> Result<(Permit, Principal)> {
        let found = self
            .core
            .store
            .facts(caller.tenant())
            .principal(id)
            .await
            .map_err(error::from_db)?;
        let resource = Resource::Principal { id };
        let ask = Ask {
            operation,
            action,
            resource: &resource,
            what: "principal",
        };
        let permit = self.core.enter(caller, ask).await?;
        found
            .map(|found| (permit, found))
            .ok_or_else(|| Error::not_found("principal"))
    }
}

fn changed(caller: &Caller, old: &Principal, change: &PrincipalChange) -> Result<Principal> {
    let mut principal = old.clone();
    let locks_out = change.state == Some(PrincipalState::Disabled)
        || change
            .roles
            .as_ref()
            .is_some_and(|roles| !roles.contains(&Role::Administrator));
    if old.id == caller.principal() && locks_out && old.roles.contains(&Role::Administrator) {
        return Err(Error::new(
            ErrorKind::StateConflict,
            "You cannot take your own rights; ask somebody else.",
        ));
    }
    if let Some(name) = &change.name {
        principal.name.clone_from(name);
    }
    if let Some(roles) = &change.roles {
        principal.roles = admitted_roles(caller, roles.clone())?;
    }
    principal.state = change.state.unwrap_or(principal.state);
    Ok(principal)
}

/// Roles each once; the operator's role exists only in the system tenant.
fn admitted_roles(caller: &Caller, mut roles: Vec<Role>) -> Result<Vec<Role>> {
    roles.sort();
    roles.dedup();
    if roles.contains(&Role::Operator) && caller.tenant() != SYSTEM_TENANT {
        return Err(Error::field(
            "#/roles",
            "unknown_role",
            "The role `operator` is not for tenants.",
        ));
    }
    Ok(roles)
}

fn named(error: DbError, name: &str) -> Error {
    match error {
        DbError::Conflict(conflict::PRINCIPAL_NAME) => Error::new(
            ErrorKind::NameTaken,
            format!("The name `{name}` is taken."),
        )
        .with_field("#/name", "name_taken", "Taken."),
        other => error::from_db(other),
    }
}
