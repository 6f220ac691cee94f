//! OpenPGP keys: partners' public keys, and the tenant's own with their secret parts, which never come out.

mod material;
mod using;

use std::sync::Arc;
use std::time::Duration;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_content::pgp;
use bailee_model::flow::Named;
use bailee_model::{
    Error, ErrorKind, Page, PageRequest, PgpKey, PgpKeyId, PgpKeyName, PgpKeyRef, PgpKeyTrust,
    PgpMaterial, PgpUsage, Result, limit,
};
use bailee_store::{Change, DbError, conflict};

pub use self::material::PgpKeyFile;
use self::material::{Read, facts, read, usage_of};
pub use self::using::{OpenPgpKey, PgpRefusal, PgpUseError};
use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::keyring::Known;
use crate::{Core, error};

/// The OpenPGP keys of the caller's tenant.
pub struct PgpKeys<'a> {
    pub(crate) core: &'a Core,
}

/// A key that was made elsewhere.
#[derive(Clone, Debug)]
pub struct ImportPgpKey {
    /// Unique in the tenant.
    pub name: PgpKeyName,
    /// The key's file, public or secret.
    pub file: PgpKeyFile,
    /// What it may be used for; all that it can when absent.
    pub usage: Option<Vec<PgpUsage>>,
    /// Whether an administrator stands behind it.
    pub trust: PgpKeyTrust,
}

/// What a new key is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PgpAlgorithm {
    /// Ed25519 signs, X25519 encrypts.
    #[default]
    Curve25519,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
}

/// A key to be made here.
#[derive(Clone, Debug)]
pub struct MakePgpKey {
    /// Unique in the tenant.
    pub name: PgpKeyName,
    /// Whose it is: `Name <address>`.
    pub user_id: String,
    /// What it is made of.
    pub algorithm: PgpAlgorithm,
    /// How long it is valid; for ever if absent.
    pub lasts: Option<Duration>,
    /// What it may be used for; both when absent.
    pub usage: Option<Vec<PgpUsage>>,
}

/// What changes of a key.
#[derive(Clone, Debug, Default)]
pub struct PgpKeyChange {
    /// A new name.
    pub name: Option<PgpKeyName>,
    /// What it may be used for.
    pub usage: Option<Vec<PgpUsage>>,
    /// Whether an administrator stands behind it.
    pub trust: Option<PgpKeyTrust>,
}

impl PgpKeys<'_> {
    /// Takes a key in. One that is expired, revoked or weak is refused.
    pub async fn import(&self, caller: &Caller, wish: ImportPgpKey) -> Result<PgpKey> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.enter(caller, "pgp_keys.import").await?;
        let now = self.core.clock.now();
        let read = read(wish.file, now).await?;
        read.refuse_unfit()?;
        let mut key = self.new_key(wish.name, &read, wish.usage)?;
        key.trust = wish.trust;
        self.insert(caller, &permit, ("pgp_keys.import", key, read))
            .await
    }

    /// Makes a key whose secret part stays here.
    pub async fn generate(&self, caller: &Caller, wish: MakePgpKey) -> Result<PgpKey> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.enter(caller, "pgp_keys.generate").await?;
        check_user_id(&wish.user_id)?;
        if wish
            .lasts
            .is_some_and(|lasts| lasts.is_zero() || lasts > limit::PGP_KEY_LIFE_MAX)
        {
            let days = limit::PGP_KEY_LIFE_MAX.as_secs() / 86_400;
            let detail = format!("From 1 to {days} days.");
            return Err(Error::field("#/valid_days", "out_of_range", detail));
        }
        let now = self.core.clock.now();
        let order = pgp::NewKey {
            algorithm: match wish.algorithm {
                PgpAlgorithm::Curve25519 => pgp::KeyAlgorithm::Curve25519,
                PgpAlgorithm::Rsa3072 => pgp::KeyAlgorithm::Rsa3072,
                PgpAlgorithm::Rsa4096 => pgp::KeyAlgorithm::Rsa4096,
            },
            user_id: wish.user_id,
            created: now,
            lasts: wish.lasts,
            passphrase: None,
        };
        let made = pgp::generate(order, Arc::clone(&self.core.chance)).await;
        let read = Read::of_secret(made.map_err(Error::internal)?, None, now);
        let key = self.new_key(wish.name, &read, wish.usage)?;
        self.insert(caller, &permit, ("pgp_keys.generate", key, read))
            .await
    }

    /// Keys, newest first.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<PgpKey>> {
        let ask = ("pgp_keys.list", Action::PgpKeyRead, &Resource::Tenant);
        let permit = self.ask(caller, ask).await?;
        let reader = self.core.store.reader(&permit);
        reader.pgp_keys(&page).await.map_err(error::from_db)
    }

    /// One key.
    pub async fn get(&self, caller: &Caller, id: PgpKeyId) -> Result<PgpKey> {
        let ask = ("pgp_keys.get", Action::PgpKeyRead, &Resource::PgpKey);
        let permit = self.ask(caller, ask).await?;
        self.find(&permit, id).await
    }

    /// The public part of a key, for a partner: armored text.
    pub async fn export(&self, caller: &Caller, id: PgpKeyId) -> Result<(PgpKey, String)> {
        let ask = ("pgp_keys.export", Action::PgpKeyRead, &Resource::PgpKey);
        let permit = self.ask(caller, ask).await?;
        let found = self.core.store.reader(&permit).pgp_material(id).await;
        let (key, material) = found
            .map_err(error::from_db)?
            .ok_or_else(|| Error::not_found("OpenPGP key"))?;
        let public = pgp::PublicKey::parse(&material.public).map_err(Error::internal)?;
        let public = public
            .first()
            .ok_or_else(|| Error::internal("a kept key is empty"))?;
        let armored = public
            .export(pgp::Encoding::Armored)
            .map_err(Error::internal)?;
        let armored = String::from_utf8(armored).map_err(Error::internal)?;
        Ok((key, armored))
    }

    /// Changes what is said of a key.
    pub async fn update(
        &self,
        caller: &Caller,
        id: PgpKeyId,
        wish: PgpKeyChange,
        precondition: Precondition,
    ) -> Result<PgpKey> {
        let act = |key: &mut PgpKey, _: &mut Change| {
            if let Some(usage) = wish.usage.clone() {
                key.usage = usage_of(key, Some(usage))?;
            }
            if let Some(name) = &wish.name {
                key.name.clone_from(name);
            }
            key.trust = wish.trust.unwrap_or(key.trust);
            Ok(())
        };
        self.write(caller, id, ("pgp_keys.update", &precondition), act)
            .await
    }

    /// Takes a newer form of the same key in: extended, with other subkeys, or revoked. A revocation is for ever.
    pub async fn refresh(&self, caller: &Caller, id: PgpKeyId, file: PgpKeyFile) -> Result<PgpKey> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self
            .ask(
                caller,
                ("pgp_keys.refresh", Action::PgpKeyManage, &Resource::PgpKey),
            )
            .await?;
        self.find(&permit, id).await?;
        let known = self.core.tenant(permit.tenant()).await?;
        let now = self.core.clock.now();
        let read = read(file, now).await?;
        let sealed = self.sealed(id, &read, &known)?;
        let act = |key: &mut PgpKey, change: &mut Change| {
            read.refuse_to_succeed(key, now)?;
            (key.primary, key.subkeys) = facts(&read.public, now);
            key.user_ids.clone_from(&read.user_ids);
            let public = read.exported()?;
            if read.secret.is_some() || !key.has_secret {
                key.has_secret = read.secret.is_some();
                let sealed_secret = sealed.clone();
                change.put_pgp_material(
                    id,
                    &PgpMaterial {
                        public,
                        sealed_secret,
                    },
                );
            } else {
                change.put_pgp_public(id, &public);
            }
            Ok(())
        };
        self.write(
            caller,
            id,
            ("pgp_keys.refresh", &Precondition::Unasked),
            act,
        )
        .await
    }

    /// Removes a key with its secret part, unless a flow names it. A name may be given to another key before, which then
    /// takes its part.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: PgpKeyId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, "pgp_keys.delete").await?;
            let key = self.find(&permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&key.revision.to_string()), &known.tenant)?;
            let mut change = self.core.store.change(&permit);
            let by_name = Named::PgpKey(PgpKeyRef::Name(key.name.clone()));
            let by_id = Named::PgpKey(PgpKeyRef::Id(id));
            let names = [&by_id, &by_name];
            let reader = self.core.store.reader(&permit);
            self.core.refuse_while_named(caller, &reader, names).await?;
            change.delete_pgp_key(&key).admit_removal(names);
            let note = about(&key, "pgp_keys.delete");
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::PGP_KEY_REVISION | conflict::REFERENCE_IN_USE)) => {
                }
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("key"))
    }

    fn new_key(
        &self,
        name: PgpKeyName,
        read: &Read,
        usage: Option<Vec<PgpUsage>>,
    ) -> Result<PgpKey> {
        let now = self.core.clock.now();
        let (primary, subkeys) = facts(&read.public, now);
        let mut key = PgpKey {
            id: PgpKeyId::new(now, &*self.core.chance),
            name,
            user_ids: read.user_ids.clone(),
            primary,
            subkeys,
            has_secret: read.secret.is_some(),
            usage: Vec::new(),
            trust: PgpKeyTrust::Trusted,
            created_at: now,
            revision: 1,
        };
        key.usage = usage_of(&key, usage)?;
        Ok(key)
    }

    async fn insert(
        &self,
        caller: &Caller,
        permit: &Permit,
        (operation, key, read): (&'static str, PgpKey, Read),
    ) -> Result<PgpKey> {
        let known = self.core.tenant(permit.tenant()).await?;
        let material = PgpMaterial {
            public: read.exported()?,
            sealed_secret: self.sealed(key.id, &read, &known)?,
        };
        let mut change = self.core.store.change(permit);
        change.insert_pgp_key(&key, &material, limit::PGP_KEYS_MAX);
        made(&mut change, &key)?;
        change.journal(&self.core.permitted(caller, permit, about(&key, operation)));
        match change.commit().await {
            Ok(()) => Ok(key),
            Err(DbError::Conflict(conflict::PGP_KEY_TAKEN)) => {
                Err(self.why_taken(permit, &key).await?)
            }
            Err(other) => Err(error::from_db(other)),
        }
    }

    /// Which of its rules kept a key out.
    async fn why_taken(&self, permit: &Permit, key: &PgpKey) -> Result<Error> {
        let reader = self.core.store.reader(permit);
        let same = reader.pgp_key_of(&key.primary.fingerprint).await;
        if let Some(same) = same.map_err(error::from_db)? {
            let detail = format!(
                "This key is here already as `{}`; refresh that one instead.",
                same.name
            );
            return Ok(Error::new(ErrorKind::NameTaken, detail.clone())
                .with_field("#/key", "taken", detail));
        }
        let named = reader.pgp_key_named(&key.name).await;
        if named.map_err(error::from_db)?.is_some() {
            return Ok(name_taken(&key.name));
        }
        Ok(error::enough(
            "A tenant",
            limit::PGP_KEYS_MAX,
            "OpenPGP keys",
        ))
    }

    async fn write(
        &self,
        caller: &Caller,
        id: PgpKeyId,
        (operation, precondition): (&'static str, &Precondition),
        act: impl Fn(&mut PgpKey, &mut Change) -> Result<()>,
    ) -> Result<PgpKey> {
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, operation).await?;
            let old = self.find(&permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&old.revision.to_string()), &known.tenant)?;
            let mut key = old.clone();
            let mut change = self.core.store.change(&permit);
            act(&mut key, &mut change)?;
            key.revision += 1;
            if key.name != old.name {
                let reader = self.core.store.reader(&permit);
                let taken = reader.pgp_key_named(&key.name).await;
                if taken.map_err(error::from_db)?.is_some() {
                    return Err(name_taken(&key.name));
                }
            }
            change.put_pgp_key(&key);
            made(&mut change, &key)?;
            change.journal(&self.core.permitted(caller, &permit, about(&key, operation)));
            match change.commit().await {
                Ok(()) => return Ok(key),
                Err(DbError::Conflict(conflict::PGP_KEY_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("key"))
    }

    async fn enter(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        self.ask(caller, (operation, Action::PgpKeyManage, &Resource::Tenant))
            .await
    }

    async fn manage(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        self.ask(caller, (operation, Action::PgpKeyManage, &Resource::PgpKey))
            .await
    }

    async fn ask(
        &self,
        caller: &Caller,
        (operation, action, resource): (&'static str, Action, &Resource),
    ) -> Result<Permit> {
        let ask = Ask {
            operation,
            action,
            resource,
            what: "OpenPGP key",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, permit: &Permit, id: PgpKeyId) -> Result<PgpKey> {
        let found = self.core.store.reader(permit).pgp_key(id).await;
        found
            .map_err(error::from_db)?
            .ok_or_else(|| Error::not_found("OpenPGP key"))
    }

    fn sealed(&self, id: PgpKeyId, read: &Read, known: &Known) -> Result<Option<Vec<u8>>> {
        let Some(plain) = read.secret_plain()? else {
            return Ok(None);
        };
        let sealed = known
            .key
            .seal_secret(&plain, &id.to_string(), &*self.core.chance);
        sealed.map(Some).map_err(error::from_key)
    }
}

/// What the journal says of a key.
fn about(key: &PgpKey, operation: &'static str) -> Note {
    Note::record(operation)
        .about(key.id)
        .with(serde_json::json!({
            "name": key.name,
            "fingerprint": key.primary.fingerprint,
            "has_secret": key.has_secret,
            "usage": key.usage,
            "trust": key.trust,
        }))
}

/// A user id becomes part of every copy of the key.
fn check_user_id(text: &str) -> Result<()> {
    let is_fit = !text.trim().is_empty()
        && text.trim() == text
        && text.len() <= limit::TEXT_BYTES_MAX
        && !text.chars().any(char::is_control);
    if is_fit {
        return Ok(());
    }
    let detail = "Must be a text such as `Acme Files <files@acme.example>`.";
    Err(Error::field("#/user_id", "invalid", detail))
}

fn name_taken(name: &PgpKeyName) -> Error {
    let detail = format!("There is an OpenPGP key named `{name}`.");
    Error::new(ErrorKind::NameTaken, detail.clone()).with_field("#/name", "taken", detail)
}
