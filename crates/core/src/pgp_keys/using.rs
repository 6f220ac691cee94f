//! Keys at work: what steps of flows encrypt, decrypt, sign and verify with.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_content::pgp::{PublicKey, Signer};
use bailee_model::{Error, PgpKey, PgpKeyRef, PgpKeyState, PgpKeyTrust, PgpUsage};

use super::PgpKeys;
use super::material::signer;
use crate::error;

/// A key that may be used.
#[derive(Debug)]
pub struct OpenPgpKey {
    /// The public part.
    pub public: PublicKey,
    /// The secret part, where it was asked for.
    pub secret: Option<Signer>,
}

/// Why a key may not be used; the code is one of a flow's step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgpRefusal {
    /// A stable word.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

/// Why there is no key.
#[derive(Debug)]
pub enum PgpUseError {
    /// It may not be used.
    Refused(PgpRefusal),
    /// It could not be looked for, or the caller may not.
    Failed(Error),
}

impl From<Error> for PgpUseError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What is wanted of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Public,
    Secret,
}

impl PgpKeys<'_> {
    /// A key to encrypt to or to verify with.
    pub async fn public_part(
        &self,
        caller: &Caller,
        key: &PgpKeyRef,
        usage: PgpUsage,
    ) -> Result<OpenPgpKey, PgpUseError> {
        self.open(caller, key, (usage, Part::Public)).await
    }

    /// A key to decrypt or to sign with.
    pub async fn secret_part(
        &self,
        caller: &Caller,
        key: &PgpKeyRef,
        usage: PgpUsage,
    ) -> Result<OpenPgpKey, PgpUseError> {
        self.open(caller, key, (usage, Part::Secret)).await
    }

    /// Refuses a key that is not there for this, or not for the caller to use, and leaves no trace of the question.
    pub(crate) async fn usable(
        &self,
        (caller, permit): (&Caller, &Permit),
        key: &PgpKeyRef,
        (usage, needs_secret): (PgpUsage, bool),
    ) -> Result<(), PgpUseError> {
        let core = self.core;
        if !core.admits(caller, Action::PgpKeyUse, &Resource::PgpKey) {
            return Err(unknown(key));
        }
        let reader = core.store.reader(permit);
        let found = match key {
            PgpKeyRef::Id(id) => reader.pgp_key(*id).await,
            PgpKeyRef::Name(name) => reader.pgp_key_named(name).await,
        };
        let found = found.map_err(error::from_db)?;
        let found = found.ok_or_else(|| unknown(key))?;
        self.admit(&found, usage)?;
        if needs_secret && !found.has_secret {
            return Err(without_secret(&found));
        }
        Ok(())
    }

    async fn open(
        &self,
        caller: &Caller,
        key: &PgpKeyRef,
        (usage, part): (PgpUsage, Part),
    ) -> Result<OpenPgpKey, PgpUseError> {
        let ask = ("pgp_keys.use", Action::PgpKeyUse, &Resource::PgpKey);
        let permit = self.ask(caller, ask).await?;
        let reader = self.core.store.reader(&permit);
        let id = match key {
            PgpKeyRef::Id(id) => Some(*id),
            PgpKeyRef::Name(name) => {
                let named = reader.pgp_key_named(name).await;
                named.map_err(error::from_db)?.map(|key| key.id)
            }
        };
        let found = match id {
            Some(id) => reader.pgp_material(id).await.map_err(error::from_db)?,
            None => None,
        };
        let (key, material) = found.ok_or_else(|| unknown(key))?;
        self.admit(&key, usage)?;
        let sealed = match (part, &material.sealed_secret) {
            (Part::Public, _) => None,
            (Part::Secret, Some(sealed)) => Some(sealed),
            (Part::Secret, None) => return Err(without_secret(&key)),
        };
        let secret = match sealed {
            None => None,
            Some(sealed) => {
                let known = self.core.tenant(permit.tenant()).await?;
                let plain = known.key.open_secret(sealed, &key.id.to_string());
                Some(signer(&plain.map_err(error::from_key)?)?)
            }
        };
        let public = PublicKey::parse(&material.public).map_err(Error::internal)?;
        let public = public.into_iter().next();
        let public = public.ok_or_else(|| Error::internal("a kept key is empty"))?;
        Ok(OpenPgpKey { public, secret })
    }

    fn admit(&self, key: &PgpKey, usage: PgpUsage) -> Result<(), PgpUseError> {
        let now = self.core.clock.now();
        let name = &key.name;
        match key.state(now) {
            PgpKeyState::Valid => {}
            PgpKeyState::Expired => {
                let detail = format!(
                    "The OpenPGP key `{name}` has expired; refresh it with a newer form of it."
                );
                return Err(refusal("pgp_key_expired", detail));
            }
            PgpKeyState::Revoked => {
                let detail = format!("The OpenPGP key `{name}` was revoked by its owner.");
                return Err(refusal("pgp_key_revoked", detail));
            }
        }
        if key.trust == PgpKeyTrust::Untrusted {
            let detail = format!("The OpenPGP key `{name}` is not trusted.");
            return Err(refusal("pgp_key_untrusted", detail));
        }
        if key.is_for(usage) && key.can(usage, now) {
            return Ok(());
        }
        let (code, verb) = match usage {
            PgpUsage::Encrypt => ("pgp_key_cannot_encrypt", "encrypt"),
            PgpUsage::Sign => ("pgp_key_cannot_sign", "sign"),
        };
        let detail = format!("The OpenPGP key `{name}` is not there to {verb}.");
        Err(refusal(code, detail))
    }
}

fn unknown(key: &PgpKeyRef) -> PgpUseError {
    let detail = format!("There is no OpenPGP key `{key}`.");
    refusal("pgp_key_unknown", detail)
}

fn without_secret(key: &PgpKey) -> PgpUseError {
    let detail = format!(
        "The secret part of the OpenPGP key `{}` is not here.",
        key.name
    );
    refusal("pgp_key_without_secret", detail)
}

fn refusal(code: &'static str, detail: String) -> PgpUseError {
    PgpUseError::Refused(PgpRefusal { code, detail })
}
