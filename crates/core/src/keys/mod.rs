//! API keys.

mod bounds;

use std::time::Duration;

use bailee_auth::{Action, Caller, KeyText, Permit, Resource};
use bailee_model::{
    ApiKey, Error, ErrorKind, KeyId, KeyLimits, KeySecret, KeyState, Page, PageRequest, Principal,
    PrincipalId, Result, Role, Scope, Scopes, Timestamp, limit,
};
use bailee_store::{DbError, conflict};

use self::bounds::{Bounds, check_limits, narrower};
use crate::files::RACES_MAX;
use crate::gate::Ask;
use crate::idempotency::{made_secret, not_shown_before};
use crate::journal::Note;
use crate::{Core, SYSTEM_TENANT, checks, error};

/// The API keys of the caller's tenant.
pub struct Keys<'a> {
    pub(crate) core: &'a Core,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// Whose; `None` is the caller's own.
    pub principal: Option<PrincipalId>,
    /// The most it can do; at most what the caller's credential can.
    pub scopes: Scopes,
    /// What narrows it.
    pub limits: KeyLimits,
    /// Until when it is good; `None` is the default life.
    pub expires_at: Option<Timestamp>,
}

/// What changes of a key.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// A new name.
    pub name: Option<String>,
    /// New scopes, all of them.
    pub scopes: Option<Scopes>,
    /// New bounds.
    pub limits: Option<KeyLimits>,
    /// A new end, or none.
    pub expires_at: Option<Option<Timestamp>>,
}

/// A key and when it was last used.
pub type KeyWithUse = (ApiKey, Option<Timestamp>);

impl Keys<'_> {
    /// Makes a key. Its text is shown once.
    pub async fn create(&self, caller: &Caller, new: NewKey) -> Result<(ApiKey, KeyText)> {
        not_shown_before(caller)?;
        let owner = new.principal.unwrap_or(caller.principal());
        checks::text("#/name", &new.name)?;
        check_limits(&new.limits)?;
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "api_keys.create", Action::IdentityManage, owner)
                .await?;
            let bounds = self.bounds(caller).await?;
            narrower(caller, &new.scopes, &new.limits, &bounds)?;
            let principal = self.admit_scopes(&permit, owner, &new.scopes).await?;
            let (mut key, text) = self.core.new_key(owner, &new.name, new.scopes.clone());
            key.limits = new.limits.clone();
            key.expires_at = bounds.end(new.expires_at, self.core.clock.now())?;
            let mut change = self.core.store.change(&permit);
            change.hold_principal(&principal);
            change.insert_key(&key, limit::LIVE_KEYS_MAX);
            made_secret(&mut change, key.id)?;
            let note = Note::record("api_keys.create")
                .about(key.id)
                .with(serde_json::json!({ "principal_id": owner, "scopes": key.scopes }));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok((key, text)),
                Err(DbError::Conflict(conflict::KEY_LIMIT)) => {
                    let most = limit::LIVE_KEYS_MAX;
                    let detail = format!("It has {most} keys that are good; revoke some.");
                    return Err(Error::new(ErrorKind::QuotaExceeded, detail));
                }
                Err(DbError::Conflict(conflict::PRINCIPAL_CHANGED)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("key's owner"))
    }

    /// Keys, newest first: the caller's own, or with the right to read identities those of one principal or of all.
    pub async fn list(
        &self,
        caller: &Caller,
        of: Option<PrincipalId>,
        page: PageRequest,
    ) -> Result<Page<KeyWithUse>> {
        let reads_all = caller.scopes().hold(Scope::IdentityRead)
            && self
                .core
                .admits(caller, Action::IdentityRead, &Resource::Tenant);
        let of = if reads_all {
            of
        } else {
            Some(of.unwrap_or(caller.principal()))
        };
        let permit = match of {
            Some(owner) => {
                self.enter(caller, "api_keys.list", Action::IdentityRead, owner)
                    .await?
            }
            None => {
                self.core
                    .enter(caller, tenant_ask("api_keys.list", Action::IdentityRead))
                    .await?
            }
        };
        self.core
            .store
            .reader(&permit)
            .keys(of, &page)
            .await
            .map_err(error::from_db)
    }

    /// One key.
    pub async fn get(&self, caller: &Caller, id: KeyId) -> Result<KeyWithUse> {
        let found = self.find(caller, "api_keys.get", Action::IdentityRead, id);
        let (_, key, used) = found.await?;
        Ok((key, used))
    }

    /// Renames a key or changes what it can do, where and until when: never more than the caller's own. Who set the
    /// bounds of a key may lift them; who holds it may only narrow it.
    pub async fn update(
        &self,
        caller: &Caller,
        id: KeyId,
        change: KeyChange,
    ) -> Result<KeyWithUse> {
        change
            .name
            .as_deref()
            .map_or(Ok(()), |name| checks::text("#/name", name))?;
        change.limits.as_ref().map_or(Ok(()), check_limits)?;
        let bounds = self.bounds(caller).await?;
        let now = self.core.clock.now();
        if let Some(scopes) = &change.scopes {
            let (permit, key, _) = self
                .find(caller, "api_keys.update", Action::IdentityManage, id)
                .await?;
            self.admit_scopes(&permit, key.principal, scopes).await?;
        }
        self.write(caller, id, "api_keys.update", |key| {
            if let Some(name) = &change.name {
                key.name.clone_from(name);
            }
            if change.scopes.is_some() || change.limits.is_some() {
                let scopes = change.scopes.as_ref().unwrap_or(&key.scopes);
                let limits = change.limits.as_ref().unwrap_or(&key.limits);
                narrower(caller, scopes, limits, &bounds)?;
                bounds.admit_change(key, scopes, limits)?;
                (key.scopes, key.limits) = (scopes.clone(), limits.clone());
            }
            if let Some(end) = change.expires_at {
                key.expires_at = bounds.moved_end(key, end, now)?;
            }
            Ok(())
        })
        .await
    }

    /// Gives a key a new secret; the old one stays good for `grace`. The new text is shown once.
    pub async fn rotate(
        &self,
        caller: &Caller,
        id: KeyId,
        grace: Duration,
    ) -> Result<(KeyWithUse, KeyText)> {
        not_shown_before(caller)?;
        if grace > limit::KEY_GRACE_MAX {
            let detail = format!("At most {} seconds.", limit::KEY_GRACE_MAX.as_secs());
            return Err(Error::field("#/grace_seconds", "out_of_range", detail));
        }
        let now = self.core.clock.now();
        let bounds = self.bounds(caller).await?;
        let text = KeyText::make(self.core.settings.key_env, id, &*self.core.chance);
        let key = self
            .write(caller, id, "api_keys.rotate", |key| {
                if key.state == KeyState::Revoked {
                    return Err(Error::new(
                        ErrorKind::StateConflict,
                        "A revoked key cannot be rotated.",
                    ));
                }
                narrower(caller, &key.scopes, &key.limits, &bounds)?;
                let old = key.secrets.first().filter(|_| !grace.is_zero()).cloned();
                let old = old.map(|secret| KeySecret {
                    until: Some(now.plus(grace)),
                    ..secret
                });
                let newest = KeySecret {
                    hash: text.hash(),
                    until: None,
                };
                key.secrets = std::iter::once(newest).chain(old).collect();
                if bounds.manages {
                    // It lives on as long as it was meant to at first. Its holder cannot have that by itself: the end
                    // was set by who may manage identities.
                    let life = key
                        .expires_at
                        .map(|end| end.since(key.rotated_at.unwrap_or(key.created_at)));
                    key.expires_at = life.map(|life| now.plus(life));
                }
                key.rotated_at = Some(now);
                Ok(())
            })
            .await?;
        Ok((key, text))
    }

    /// Revokes a key for good: refused at once on this node, within seconds on all.
    pub async fn revoke(&self, caller: &Caller, id: KeyId) -> Result<()> {
        let now = self.core.clock.now();
        let revoked = self.write(caller, id, "api_keys.revoke", |key| {
            key.state = KeyState::Revoked;
            key.revoked_at = key.revoked_at.or(Some(now));
            Ok(())
        });
        revoked.await.map(drop)
    }

    /// What bounds the keys that a caller makes or changes.
    async fn bounds(&self, caller: &Caller) -> Result<Bounds> {
        let own = self.core.whoami(caller).await?;
        let manages = caller.scopes().hold(Scope::IdentityManage)
            && self
                .core
                .admits(caller, Action::IdentityManage, &Resource::Tenant);
        Ok(Bounds {
            manages,
            expires_at: own.as_ref().and_then(|own| own.expires_at),
            limits: own.map(|own| own.limits).unwrap_or_default(),
        })
    }

    /// The owner of a key, if a key of its may hold the scopes.
    async fn admit_scopes(
        &self,
        permit: &Permit,
        owner: PrincipalId,
        scopes: &Scopes,
    ) -> Result<Principal> {
        let found = self.core.store.reader(permit).principal(owner).await;
        let principal = found
            .map_err(error::from_db)?
            .ok_or_else(|| Error::not_found("principal"))?;
        let is_operator =
            permit.tenant() == SYSTEM_TENANT && principal.roles.contains(&Role::Operator);
        if scopes.hold(Scope::System) && !is_operator {
            let detail = "Only the operator's keys may hold `system`.";
            return Err(Error::field("#/scopes", "not_yours", detail));
        }
        Ok(principal)
    }

    async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        owner: PrincipalId,
    ) -> Result<Permit> {
        let resource = Resource::Key { owner };
        self.core
            .enter(
                caller,
                Ask {
                    operation,
                    action,
                    resource: &resource,
                    what: "API key",
                },
            )
            .await
    }

    async fn find(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        id: KeyId,
    ) -> Result<(Permit, ApiKey, Option<Timestamp>)> {
        let found = self
            .core
            .store
            .facts(caller.tenant())
            .key(id)
            .await
            .map_err(error::from_db)?;
        let Some((key, used)) = found else {
            return Err(Error::not_found("API key"));
        };
        let permit = match self.enter(caller, operation, action, key.principal).await {
            // Somebody else's key is not for this caller to know of.
            Err(error) if error.kind() == ErrorKind::PolicyDenied => {
                return Err(Error::not_found("API key"));
            }
            other => other?,
        };
        Ok((permit, key, used))
    }

    async fn write(
        &self,
        caller: &Caller,
        id: KeyId,
        operation: &'static str,
        act: impl Fn(&mut ApiKey) -> Result<()>,
    ) -> Result<KeyWithUse> {
        for _ in 0..RACES_MAX {
            let (permit, old, used) = self
                .find(caller, operation, Action::IdentityManage, id)
                .await?;
            let mut key = old.clone();
            act(&mut key)?;
            let mut change = self.core.store.change(&permit);
            change.put_key(&key, &old);
            made_secret(&mut change, id)?;
            change.journal(&self.core.permitted(
                caller,
                &permit,
                Note::record(operation).about(id),
            ));
            match change.commit().await {
                Ok(()) => {
                    self.core.credentials.forget();
                    return Ok((key, used));
                }
                Err(DbError::Conflict("key")) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(Error::new(
            ErrorKind::StateConflict,
            "The key changes too fast; try again.",
        ))
    }
}

fn tenant_ask(operation: &'static str, action: Action) -> Ask<'static> {
    Ask {
        operation,
        action,
        resource: &Resource::Tenant,
        what: "API key",
    }
}
