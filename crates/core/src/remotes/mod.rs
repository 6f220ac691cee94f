//! Remotes: far systems with address, credential and limits.

mod rules;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Error, ErrorKind, Outcome, Page, PageRequest, Remote, RemoteAddress, RemoteId, RemoteName,
    Result,
};
use bailee_store::{DbError, conflict};

use self::rules::{check_address, concurrency, is_elsewhere, name_taken};
use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::keyring::Known;
use crate::ports::{ProbeReport, RemoteSecret};
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
    /// Its credential.
    pub secret: Option<RemoteSecret>,
    /// Transfers with it at once.
    pub concurrency: Option<u32>,
}

/// What changes of a remote.
#[derive(Clone, Debug, Default)]
pub struct RemoteChange {
    /// A new name.
    pub name: Option<RemoteName>,
    /// A new address.
    pub address: Option<RemoteAddress>,
    /// A new credential.
    pub secret: Option<RemoteSecret>,
    /// Transfers with it at once.
    pub concurrency: Option<u32>,
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
        check_address(&new.address, self.allowed_folders())?;
        let known = self.core.tenant(permit.tenant()).await?;
        let now = self.core.clock.now();
        let id = RemoteId::new(now, &*self.core.chance);
        let remote = Remote {
            id,
            name: new.name,
            address: new.address,
            secret_kind: new.secret.as_ref().map(RemoteSecret::kind),
            sealed_secret: new
                .secret
                .map(|secret| self.seal(id, &secret, &known))
                .transpose()?,
            concurrency: concurrency(new.concurrency)?.unwrap_or(CONCURRENCY_DEFAULT),
            created_at: now,
            revision: 1,
        };
        let mut change = self.core.store.change(&permit);
        change.insert_remote(&remote);
        made(&mut change, &without_secret(&remote))?;
        let note = Note::record("remotes.create")
            .about(id)
            .with(serde_json::json!({ "name": remote.name }));
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::REMOTE_NAME) => name_taken(&remote.name),
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

    /// Changes a remote. A new host or port forgets the pinned host key unless a new one is given.
    pub async fn update(
        &self,
        caller: &Caller,
        id: RemoteId,
        change: RemoteChange,
        precondition: Precondition,
    ) -> Result<Remote> {
        change.address.as_ref().map_or(Ok(()), |address| {
            check_address(address, self.allowed_folders())
        })?;
        let wanted = concurrency(change.concurrency)?;
        self.write(
            caller,
            id,
            ("remotes.update", &precondition),
            |remote, known| {
                if let Some(name) = &change.name {
                    remote.name = name.clone();
                }
                if let Some(address) = &change.address {
                    if address.kind() != remote.kind() {
                        return Err(Error::field(
                            "#/kind",
                            "immutable",
                            "A remote keeps its kind; make a new one.",
                        ));
                    }
                    if is_elsewhere(address, &remote.address)
                        && remote.sealed_secret.is_some()
                        && change.secret.is_none()
                    {
                        // Else whoever may move a remote could have its credential sent to a machine of their own.
                        let detail = "A new host or port needs the credential again.";
                        return Err(Error::field("#/host", "credential_needed", detail));
                    }
                    remote.address = address.clone();
                }
                if let Some(secret) = &change.secret {
                    remote.secret_kind = Some(secret.kind());
                    remote.sealed_secret = Some(self.seal(id, secret, known)?);
                }
                remote.concurrency = wanted.unwrap_or(remote.concurrency);
                Ok(())
            },
        )
        .await
    }

    /// Pins a host key, by its `SHA256:…` fingerprint.
    pub async fn trust(
        &self,
        caller: &Caller,
        id: RemoteId,
        fingerprint: String,
    ) -> Result<Remote> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        if !fingerprint.starts_with("SHA256:") || fingerprint.len() != 50 {
            let detail = "A fingerprint looks like SHA256: and 43 letters of base64.";
            return Err(Error::field("#/fingerprint", "invalid_fingerprint", detail));
        }
        self.write(
            caller,
            id,
            ("remotes.trust", &Precondition::Unasked),
            |remote, _| match &mut remote.address {
                RemoteAddress::Sftp { host_key, .. } => {
                    *host_key = Some(fingerprint.clone());
                    Ok(())
                }
                RemoteAddress::Local { .. } => Err(Error::new(
                    ErrorKind::StateConflict,
                    "A remote of this kind has no host key.",
                )),
            },
        )
        .await
    }

    /// Removes a remote. Transfers that still want it will fail.
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
            change.delete_remote(&remote);
            let note = Note::record("remotes.delete")
                .about(id)
                .with(serde_json::json!({ "name": remote.name }));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                // It was changed or removed since it was read; what was asked for is judged again.
                Err(DbError::Conflict(conflict::REMOTE_NAME)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(too_fast())
    }

    /// Tries a remote step by step.
    pub async fn test(&self, caller: &Caller, id: RemoteId) -> Result<ProbeReport> {
        let (permit, remote) = self
            .find(caller, "remotes.test", Action::RemoteManage, id)
            .await?;
        let target = self.core.target(permit.tenant(), remote).await?;
        let prober = self.core.prober.get().ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "This node does not reach remotes.").retry_after(60)
        })?;
        let report = prober.probe(target).await;
        let is_fine = report.steps.iter().all(|step| step.ok);
        let status = if is_fine {
            Outcome::Success
        } else {
            Outcome::Error
        };
        let note = Note::record("remotes.test").about(id).ended(status);
        let mut change = self.core.store.aside(&permit);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        Ok(report)
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
            if remote.name != old.name {
                let taken = self
                    .core
                    .store
                    .reader(&permit)
                    .remote_named(&remote.name)
                    .await;
                if taken.map_err(error::from_db)?.is_some() {
                    return Err(name_taken(&remote.name));
                }
            }
            let mut change = self.core.store.change(&permit);
            change.put_remote(&remote);
            made(&mut change, &without_secret(&remote))?;
            change.journal(&self.core.permitted(
                caller,
                &permit,
                Note::record(operation).about(id),
            ));
            match change.commit().await {
                Ok(()) => return Ok(remote),
                Err(DbError::Conflict(conflict::REMOTE_NAME)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(too_fast())
    }

    fn allowed_folders(&self) -> &[String] {
        &self.core.settings.local_folders
    }

    fn seal(&self, id: RemoteId, secret: &RemoteSecret, known: &Known) -> Result<Vec<u8>> {
        let sealed = known
            .key
            .seal_secret(&secret.to_plain(), &id.to_string(), &*self.core.chance);
        sealed.map_err(error::from_key)
    }
}

/// What may be kept of a remote for an answer.
fn without_secret(remote: &Remote) -> Remote {
    Remote {
        sealed_secret: None,
        ..remote.clone()
    }
}

fn too_fast() -> Error {
    Error::new(
        ErrorKind::StateConflict,
        "The remote changes too fast; try again.",
    )
    .retry_after(1)
}
