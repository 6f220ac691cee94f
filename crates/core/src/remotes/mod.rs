//! Remotes: far systems with address, credential and limits.

mod browse;
mod health;
mod rules;
mod ssh_key;
mod trial;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::flow::Named;
use bailee_model::{
    Allowance, Error, JobKind, Page, PageRequest, Remote, RemoteAddress, RemoteId, RemoteName,
    RemoteSecretField, RemoteTimes, Result,
};
use bailee_store::{Change, DbError, conflict};

pub use self::browse::RemoteUse;
pub use self::health::{RemoteFinding, RemoteWatch};
use self::rules::{check_address, check_secrets, check_times, check_ways, concurrency, name_taken};
use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::keyring::Known;
use crate::ports::RemoteSecret;
use crate::{Core, error};

/// Transfers with one remote at once when the client names no number.
const CONCURRENCY_DEFAULT: u32 = 4;

/// The remotes of the caller's tenant.
pub struct Remotes<'a> {
    pub(crate) core: &'a Core,
}

/// A remote to be made.
#[derive(Clone, Debug)]
pub struct NewRemote {
    /// Unique in the tenant.
    pub name: RemoteName,
    /// Where it is.
    pub address: RemoteAddress,
    /// Its secrets.
    pub secret: Option<RemoteSecret>,
    /// Transfers with it at once.
    pub concurrency: Option<u32>,
    /// When it is used and looked at.
    pub times: RemoteTimes,
}

/// What changes of a remote.
#[derive(Clone, Debug, Default)]
pub struct RemoteChange {
    /// A new name.
    pub name: Option<RemoteName>,
    /// A new address.
    pub address: Option<RemoteAddress>,
    /// New secrets. One that signs in replaces all that do.
    pub secret: Option<RemoteSecret>,
    /// Secrets that are no longer needed.
    pub forget: Vec<RemoteSecretField>,
    /// Transfers with it at once.
    pub concurrency: Option<u32>,
    /// When it is used and looked at.
    pub times: Option<RemoteTimes>,
}

impl Remotes<'_> {
    /// Makes a remote. Nothing is connected to; [`Remotes::test`] does that.
    pub async fn create(&self, caller: &Caller, new: NewRemote) -> Result<Remote> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self
            .enter(caller, "remotes.create", Action::RemoteManage)
            .await?;
        self.check(&new.address)?;
        let known = self.core.tenant(permit.tenant()).await?;
        let now = self.core.clock.now();
        let id = RemoteId::new(now, &*self.core.chance);
        let mut remote = Remote {
            id,
            name: new.name,
            address: new.address,
            secret_fields: Vec::new(),
            secret_refs: std::collections::BTreeMap::new(),
            sealed_secret: None,
            ssh_keys: Vec::new(),
            concurrency: concurrency(new.concurrency)?.unwrap_or(CONCURRENCY_DEFAULT),
            times: check_times(new.times)?,
            created_at: now,
            revision: 1,
        };
        let secret = new.secret.unwrap_or_default();
        check_ways(&secret.fields())?;
        self.keep(&mut remote, &secret, &known)?;
        let mut change = self.core.store.change(&permit);
        hold_secrets(&mut change, &remote);
        change.insert_remote(&remote);
        if remote.times.health_check_seconds.is_some() {
            self.core.schedule_looks(&mut change, &remote);
        }
        made(&mut change, &without_secret(&remote))?;
        let note = Note::record("remotes.create")
            .about(id)
            .with(serde_json::json!({ "name": remote.name }));
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::REMOTE_NAME) => name_taken(&remote.name),
            DbError::Conflict(conflict::SECRET_GONE) => secret_unknown(&remote),
            other => error::from_db(other),
        })?;
        Ok(remote)
    }

    /// Remotes, newest first.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Remote>> {
        let permit = self
            .enter(caller, "remotes.list", Action::RemoteRead)
            .await?;
        self.core
            .store
            .reader(&permit)
            .remotes(&page)
            .await
            .map_err(error::from_db)
    }

    /// One remote.
    pub async fn get(&self, caller: &Caller, id: RemoteId) -> Result<Remote> {
        self.find(caller, "remotes.get", Action::RemoteRead, id)
            .await
            .map(|(_, remote)| remote)
    }

    /// Changes a remote as `change` says, which sees the remote as it is. Whoever moves it to another machine gives its
    /// credential again.
    pub async fn update(
        &self,
        caller: &Caller,
        id: RemoteId,
        change: impl Fn(&Remote) -> Result<RemoteChange>,
        precondition: Precondition,
    ) -> Result<Remote> {
        let act = |remote: &mut Remote, known: &Known| {
            let change = change(remote)?;
            let secret = change.secret.unwrap_or_default();
            if let Some(address) = change.address {
                self.check(&address)?;
                stays_of_its_kind(&address, remote)?;
                let is_kept = remote.secret_fields.iter().any(|field| field.signs_in());
                if address.is_elsewhere(&remote.address) && is_kept && !secret.signs_in() {
                    // Else whoever may move a remote could have its credential sent to a machine of their own.
                    return Err(credential_needed());
                }
                remote.address = address;
            }
            if let Some(name) = change.name {
                remote.name = name;
            }
            remote.concurrency = concurrency(change.concurrency)?.unwrap_or(remote.concurrency);
            if let Some(times) = change.times {
                remote.times = check_times(times)?;
            }
            check_ways(&secret.fields())?;
            let given = secret.clone();
            let mut secret = secret.over(opened(remote, known)?);
            for field in change.forget {
                secret.forget(field);
            }
            ssh_key::prune(remote, &secret, &given);
            self.keep(remote, &secret, known)
        };
        self.write(caller, id, ("remotes.update", &precondition), act)
            .await
    }

    /// Puts another configuration in the place of a remote's: what it does not name is gone, secrets and pinned key too.
    pub async fn replace(
        &self,
        caller: &Caller,
        id: RemoteId,
        new: NewRemote,
        precondition: Precondition,
    ) -> Result<Remote> {
        let act = |remote: &mut Remote, known: &Known| {
            self.check(&new.address)?;
            stays_of_its_kind(&new.address, remote)?;
            remote.name = new.name.clone();
            remote.address = new.address.clone();
            remote.concurrency = concurrency(new.concurrency)?.unwrap_or(CONCURRENCY_DEFAULT);
            remote.times = check_times(new.times.clone())?;
            remote.ssh_keys.clear();
            let secret = new.secret.clone().unwrap_or_default();
            check_ways(&secret.fields())?;
            self.keep(remote, &secret, known)
        };
        self.write(caller, id, ("remotes.replace", &precondition), act)
            .await
    }

    /// Removes a remote that no flow or schedule names. Transfers that still want it will fail.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: RemoteId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let (permit, remote) = self
                .find(caller, "remotes.delete", Action::RemoteManage, id)
                .await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&remote.revision.to_string()), &known.tenant)?;
            let mut change = self.core.store.change(&permit);
            let named = Named::Remote(remote.name.clone());
            let names = [&named, &named];
            let reader = self.core.store.reader(&permit);
            self.core.refuse_while_named(caller, &reader, names).await?;
            change.delete_remote(&remote).admit_removal(names);
            change.drop_job(JobKind::CheckRemote, &id.to_string());
            let note = Note::record("remotes.delete")
                .about(id)
                .with(serde_json::json!({ "name": remote.name }));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                // It was changed, removed or named since it was read; what was asked for is judged again.
                Err(DbError::Conflict(conflict::REMOTE_NAME | conflict::REFERENCE_IN_USE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("remote"))
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
            what: "remote",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        id: RemoteId,
    ) -> Result<(Permit, Remote)> {
        let found = self
            .core
            .store
            .facts(caller.tenant())
            .remote(id)
            .await
            .map_err(error::from_db)?;
        let Some(remote) = found else {
            self.enter(caller, operation, action).await?;
            return Err(Error::not_found("remote"));
        };
        let resource = Resource::Remote {
            name: remote.name.clone(),
        };
        let permit = self
            .core
            .enter(
                caller,
                Ask {
                    operation,
                    action,
                    resource: &resource,
                    what: "remote",
                },
            )
            .await?;
        Ok((permit, remote))
    }

    async fn write(
        &self,
        caller: &Caller,
        id: RemoteId,
        (operation, precondition): (&'static str, &Precondition),
        act: impl Fn(&mut Remote, &Known) -> Result<()>,
    ) -> Result<Remote> {
        for _ in 0..RACES_MAX {
            let (permit, old) = self
                .find(caller, operation, Action::RemoteManage, id)
                .await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&old.revision.to_string()), &known.tenant)?;
            let mut remote = old.clone();
            act(&mut remote, &known)?;
            remote.revision += 1;
            let mut change = self.core.store.change(&permit);
            hold_secrets(&mut change, &remote);
            change.put_remote(&remote);
            if remote.name != old.name {
                let reader = self.core.store.reader(&permit);
                let taken = reader.remote_named(&remote.name).await;
                if taken.map_err(error::from_db)?.is_some() {
                    return Err(name_taken(&remote.name));
                }
                let named = Named::Remote(old.name.clone());
                let names = [&named, &named];
                self.core.refuse_while_named(caller, &reader, names).await?;
                change.admit_removal(names);
            }
            self.follow(&mut change, (&old, &remote)).await?;
            made(&mut change, &without_secret(&remote))?;
            change.journal(&self.core.permitted(
                caller,
                &permit,
                Note::record(operation).about(id),
            ));
            match change.commit().await {
                Ok(()) => return Ok(remote),
                Err(DbError::Conflict(conflict::REMOTE_NAME | conflict::REFERENCE_IN_USE)) => {}
                Err(DbError::Conflict(conflict::SECRET_GONE)) => {
                    return Err(secret_unknown(&remote));
                }
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("remote"))
    }

    /// What follows from a change: another address or credential is tried anew, another interval counts from now.
    async fn follow(&self, change: &mut Change, (old, new): (&Remote, &Remote)) -> Result<()> {
        let is_other = (&old.address, &old.sealed_secret) != (&new.address, &new.sealed_secret);
        if is_other {
            let reader = self.core.store.queue().reader(change.tenant());
            let health = reader.remote_health(old.id).await.map_err(error::from_db)?;
            if let Some(health) = health {
                change.forget_remote_health(old.id);
                self.core
                    .wake(change, &health, &bailee_model::RemoteHealth::default());
            }
        }
        let now = self.core.clock.now();
        if let (true, Allowance::Closed(until)) = (old.times != new.times, old.times.allowance(now))
        {
            change.wake_waiting(until, now);
        }
        let seconds = |remote: &Remote| remote.times.health_check_seconds;
        if seconds(old) != seconds(new) || is_other && seconds(new).is_some() {
            self.core.schedule_looks(change, new);
        }
        Ok(())
    }

    fn check(&self, address: &RemoteAddress) -> Result<()> {
        let settings = &self.core.settings;
        check_address(address, &settings.local_folders)
    }

    /// Seals `secret` as all the secrets that the remote has.
    fn keep(&self, remote: &mut Remote, secret: &RemoteSecret, known: &Known) -> Result<()> {
        remote.secret_fields = secret.fields();
        remote.secret_refs = secret.references();
        check_secrets(&remote.address, &remote.secret_fields)?;
        remote.sealed_secret = if secret.is_empty() {
            None
        } else {
            let plain = secret.to_plain();
            let about = remote.id.to_string();
            let sealed = known.key.seal_secret(&plain, &about, &*self.core.chance);
            Some(sealed.map_err(error::from_key)?)
        };
        Ok(())
    }
}

/// What a remote refers to must be there as long as the remote does.
fn hold_secrets(change: &mut Change, remote: &Remote) {
    for secret in remote.secret_refs.values() {
        change.hold_secret(*secret);
    }
}

fn secret_unknown(remote: &Remote) -> Error {
    let detail = "There is no such secret; look at `bailee secret list`.";
    let field = remote.secret_refs.keys().next();
    let field = field.map_or("secret", |field| field.as_str());
    Error::field(&format!("#/{field}/secret_id"), "unknown", detail)
}

/// All the secrets that a remote has.
pub(crate) fn opened(remote: &Remote, known: &Known) -> Result<RemoteSecret> {
    let Some(sealed) = &remote.sealed_secret else {
        return Ok(RemoteSecret::default());
    };
    let plain = known.key.open_secret(sealed, &remote.id.to_string());
    RemoteSecret::from_plain(&plain.map_err(error::from_key)?)
        .ok_or_else(|| Error::internal("a remote's secret has an unknown form"))
}

fn stays_of_its_kind(address: &RemoteAddress, remote: &Remote) -> Result<()> {
    if address.kind() == remote.kind() {
        return Ok(());
    }
    let detail = "A remote keeps its kind; make a new one.";
    Err(Error::field("#/kind", "immutable", detail))
}

fn credential_needed() -> Error {
    let detail = "Another host, URL, account, proxy or authority needs the credential again.";
    Error::field("#", "credential_needed", detail)
}

/// What may be kept of a remote for an answer.
fn without_secret(remote: &Remote) -> Remote {
    Remote {
        sealed_secret: None,
        ..remote.clone()
    }
}
