//! Secrets that remotes refer to: values that are kept here, sealed, and references to where they are.

mod resolve;
mod rules;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Error, ErrorKind, Page, PageRequest, Result, Secret, SecretId, SecretName, SecretSource, limit,
};
use bailee_store::{DbError, conflict};
use secrecy::{ExposeSecret, SecretString};

pub(crate) use self::resolve::SecretCache;
use self::rules::{check_sealed, check_source};
use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::keyring::Known;
use crate::{Core, error};

/// Remotes that a refusal to delete names.
const USERS_NAMED_MAX: u32 = 5;

/// The secrets of the caller's tenant.
pub struct Secrets<'a> {
    pub(crate) core: &'a Core,
}

/// A secret to be made, or to take another's place.
#[derive(Clone, Debug)]
pub struct NewSecret {
    /// Unique in the tenant.
    pub name: SecretName,
    /// Where its value is.
    pub source: SecretSource,
    /// The value, or what signs in where it is.
    pub sealed: Option<SecretString>,
}

impl Secrets<'_> {
    /// Keeps a secret. Nothing is connected to.
    pub async fn create(&self, caller: &Caller, new: NewSecret) -> Result<Secret> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self
            .enter(caller, "secrets.create", Action::RemoteManage)
            .await?;
        self.check(&new)?;
        let known = self.core.tenant(permit.tenant()).await?;
        let now = self.core.clock.now();
        let id = SecretId::new(now, &*self.core.chance);
        let secret = Secret {
            id,
            sealed: self.sealed(id, new.sealed.as_ref(), &known)?,
            name: new.name,
            source: new.source,
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        let mut change = self.core.store.change(&permit);
        change.insert_secret(&secret, limit::SECRETS_MAX);
        made(&mut change, &shown(&secret))?;
        let note = about(&secret, "secrets.create");
        change.journal(&self.core.permitted(caller, &permit, note));
        match change.commit().await {
            Ok(()) => Ok(secret),
            Err(DbError::Conflict(conflict::SECRET_TAKEN)) => {
                let reader = self.core.store.reader(&permit);
                let named = reader.secret_named(&secret.name).await;
                if named.map_err(error::from_db)?.is_some() {
                    return Err(name_taken(&secret.name));
                }
                Err(error::enough("A tenant", limit::SECRETS_MAX, "secrets"))
            }
            Err(other) => Err(error::from_db(other)),
        }
    }

    /// Secrets, newest first, without values.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Secret>> {
        let permit = self
            .enter(caller, "secrets.list", Action::RemoteRead)
            .await?;
        let reader = self.core.store.reader(&permit);
        reader.secrets(&page).await.map_err(error::from_db)
    }

    /// One secret, without its value.
    pub async fn get(&self, caller: &Caller, id: SecretId) -> Result<Secret> {
        let permit = self
            .enter(caller, "secrets.get", Action::RemoteRead)
            .await?;
        Ok(shown(&self.find(&permit, id).await?))
    }

    /// Puts another value or reference in the place of a secret's. Remotes that refer to it use the new one.
    pub async fn replace(
        &self,
        caller: &Caller,
        id: SecretId,
        new: NewSecret,
        precondition: Precondition,
    ) -> Result<Secret> {
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "secrets.replace", Action::RemoteManage)
                .await?;
            self.check(&new)?;
            let old = self.find(&permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&old.revision.to_string()), &known.tenant)?;
            if new.name != old.name {
                let reader = self.core.store.reader(&permit);
                let taken = reader.secret_named(&new.name).await;
                if taken.map_err(error::from_db)?.is_some() {
                    return Err(name_taken(&new.name));
                }
            }
            let secret = Secret {
                name: new.name.clone(),
                source: new.source.clone(),
                sealed: self.sealed(id, new.sealed.as_ref(), &known)?,
                updated_at: self.core.clock.now(),
                revision: old.revision + 1,
                ..old
            };
            let mut change = self.core.store.change(&permit);
            change.put_secret(&secret);
            made(&mut change, &shown(&secret))?;
            let note = about(&secret, "secrets.replace");
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(secret),
                Err(DbError::Conflict(conflict::SECRET_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("secret"))
    }

    /// Removes a secret that no remote refers to.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: SecretId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "secrets.delete", Action::RemoteManage)
                .await?;
            let secret = self.find(&permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&secret.revision.to_string()), &known.tenant)?;
            let reader = self.core.store.reader(&permit);
            let users = reader.secret_users(id, USERS_NAMED_MAX).await;
            let users = users.map_err(error::from_db)?;
            if !users.is_empty() {
                let detail = format!("Remotes refer to it: {}.", users.join(", "));
                return Err(Error::new(ErrorKind::InUse, detail));
            }
            let mut change = self.core.store.change(&permit);
            change.delete_secret(&secret);
            let note = about(&secret, "secrets.delete");
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::SECRET_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("secret"))
    }

    fn check(&self, new: &NewSecret) -> Result<()> {
        check_source(&new.source, &self.core.settings)?;
        check_sealed(&new.source, new.sealed.as_ref())
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
            what: "secret",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, permit: &Permit, id: SecretId) -> Result<Secret> {
        let found = self.core.store.reader(permit).secret(id).await;
        found
            .map_err(error::from_db)?
            .ok_or_else(|| Error::not_found("secret"))
    }

    fn sealed(
        &self,
        id: SecretId,
        plain: Option<&SecretString>,
        known: &Known,
    ) -> Result<Option<Vec<u8>>> {
        let Some(plain) = plain else { return Ok(None) };
        let plain = plain.expose_secret().as_bytes();
        let sealed = known
            .key
            .seal_secret(plain, &id.to_string(), &*self.core.chance);
        sealed.map(Some).map_err(error::from_key)
    }
}

/// What may be kept of a secret for an answer.
fn shown(secret: &Secret) -> Secret {
    Secret {
        sealed: None,
        ..secret.clone()
    }
}

/// What the journal says of a secret.
fn about(secret: &Secret, operation: &'static str) -> Note {
    Note::record(operation)
        .about(secret.id)
        .with(serde_json::json!({
            "name": secret.name,
            "kind": secret.source.kind(),
            "reference": secret.source.reference(),
        }))
}

fn name_taken(name: &SecretName) -> Error {
    let detail = format!("There is a secret named `{name}`.");
    Error::new(ErrorKind::NameTaken, detail.clone()).with_field("#/name", "taken", detail)
}
