//! Keys: read from files, shown, handed on.

use std::fmt;
use std::io::Cursor;

use ::pgp::composed::{ArmorOptions, PublicOrSecret, SignedPublicKey, SignedSecretKey};
use ::pgp::ser::Serialize as _;
use ::pgp::types::{KeyDetails, Password};
use bailee_model::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::validity::{self, Verdict, name, seconds};
use super::{Encoding, PgpError};
use crate::limit::{KEY_FILE_BYTES_MAX, KEYS_IN_FILE_MAX};

/// What opens a secret key. Never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(super) fn reveal(&self) -> Password {
        Password::from(self.0.as_bytes())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Passphrase(..)")
    }
}

/// What may be given to anybody.
#[derive(Debug, Clone)]
pub struct PublicKey {
    pub(super) inner: SignedPublicKey,
}

/// A key with its secret part, locked by a passphrase or not.
#[derive(Clone)]
pub struct SecretKey {
    pub(super) inner: SignedSecretKey,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecretKey({})", self.fingerprint())
    }
}

/// A key as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyDescription {
    pub fingerprint: String,
    pub user_ids: Vec<String>,
    pub algorithm: String,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
    pub state: KeyState,
    /// Whether the primary key itself may encrypt now.
    pub primary_can_encrypt: bool,
    /// Whether the primary key itself may sign now.
    pub primary_can_sign: bool,
    /// Whether some part of it may encrypt now.
    pub can_encrypt: bool,
    /// Whether some part of it may sign now.
    pub can_sign: bool,
    pub subkeys: Vec<SubkeyDescription>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubkeyDescription {
    pub fingerprint: String,
    pub algorithm: String,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
    pub state: KeyState,
    pub can_encrypt: bool,
    pub can_sign: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Valid,
    NotYetValid,
    Expired,
    Revoked,
    Weak,
}

impl PublicKey {
    /// The keys of a file, armored or binary. A secret key gives its public part.
    pub fn parse(file: &[u8]) -> Result<Vec<Self>, PgpError> {
        let keys = parse(file)?.into_iter().map(|key| match key {
            PublicOrSecret::Public(inner) => Self { inner },
            PublicOrSecret::Secret(inner) => Self {
                inner: inner.to_public_key(),
            },
        });
        Ok(keys.collect())
    }

    /// The fingerprint in upper-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        name(&self.inner.primary_key)
    }

    pub fn export(&self, encoding: Encoding) -> Result<Vec<u8>, PgpError> {
        let bytes = match encoding {
            Encoding::Armored => self.inner.to_armored_bytes(ArmorOptions::default()),
            Encoding::Binary => self.inner.to_bytes(),
        };
        bytes.map_err(PgpError::library)
    }

    pub fn describe(&self, now: Timestamp) -> KeyDescription {
        let at = seconds(now);
        let key = &self.inner;
        let verdict = validity::primary(key, at);
        let subkeys: Vec<SubkeyDescription> = key
            .public_subkeys
            .iter()
            .map(|subkey| describe_subkey(&subkey.key, &validity::subkey(key, subkey, at)))
            .collect();
        let is_valid = verdict.fault.is_none();
        KeyDescription {
            fingerprint: self.fingerprint(),
            user_ids: validity::user_ids(key, at),
            algorithm: format!("{:?}", key.primary_key.algorithm()),
            created: timestamp(key.primary_key.created_at().as_secs()),
            expires: verdict.expires.map(timestamp),
            state: state(&verdict),
            primary_can_encrypt: verdict.may_encrypt(),
            primary_can_sign: verdict.may_sign(),
            can_encrypt: is_valid
                && (verdict.can_encrypt || subkeys.iter().any(|part| part.can_encrypt)),
            can_sign: is_valid && (verdict.can_sign || subkeys.iter().any(|part| part.can_sign)),
            subkeys,
        }
    }
}

impl SecretKey {
    /// The secret keys of a file, armored or binary; public ones in it are passed over.
    pub fn parse(file: &[u8]) -> Result<Vec<Self>, PgpError> {
        let keys: Vec<Self> = parse(file)?
            .into_iter()
            .filter_map(|key| match key {
                PublicOrSecret::Secret(inner) => Some(Self { inner }),
                PublicOrSecret::Public(_) => None,
            })
            .collect();
        if keys.is_empty() {
            return Err(PgpError::NotAKey("only public keys are in the file".into()));
        }
        Ok(keys)
    }

    pub fn fingerprint(&self) -> String {
        name(&self.inner.primary_key)
    }

    pub fn public(&self) -> PublicKey {
        PublicKey {
            inner: self.inner.to_public_key(),
        }
    }

    /// The secret key as it is: a locked one stays locked.
    pub fn export(&self, encoding: Encoding) -> Result<Zeroizing<Vec<u8>>, PgpError> {
        let bytes = match encoding {
            Encoding::Armored => self.inner.to_armored_bytes(ArmorOptions::default()),
            Encoding::Binary => self.inner.to_bytes(),
        };
        bytes.map(Zeroizing::new).map_err(PgpError::library)
    }

    pub fn is_locked(&self) -> bool {
        self.inner.primary_key.secret_params().is_encrypted()
            || self
                .inner
                .secret_subkeys
                .iter()
                .any(|subkey| subkey.key.secret_params().is_encrypted())
    }

    /// Whether the passphrase opens it. A key without one is opened by any.
    pub fn check(&self, passphrase: &Passphrase) -> Result<(), PgpError> {
        let password = passphrase.reveal();
        let wrong = || PgpError::WrongPassphrase(self.fingerprint());
        let subkeys = &self.inner.secret_subkeys;
        let subkey = subkeys
            .iter()
            .find(|subkey| subkey.key.secret_params().is_encrypted());
        // The primary key may be elsewhere, on a card for instance: a subkey then answers.
        let opened = match subkey {
            Some(subkey) => subkey.key.unlock(&password, |_, _| Ok(())),
            None => self.inner.primary_key.unlock(&password, |_, _| Ok(())),
        };
        opened.map_err(|_| wrong())?.map_err(|_| wrong())
    }
}

fn parse(file: &[u8]) -> Result<Vec<PublicOrSecret>, PgpError> {
    if file.len() > KEY_FILE_BYTES_MAX {
        return Err(PgpError::TooMany {
            what: "bytes of a file of keys",
            limit: KEY_FILE_BYTES_MAX,
        });
    }
    let not_a_key = |error: ::pgp::errors::Error| PgpError::NotAKey(error.to_string());
    let (keys, _) = PublicOrSecret::from_reader_many(Cursor::new(file)).map_err(not_a_key)?;
    let mut found = Vec::new();
    for key in keys {
        if found.len() == KEYS_IN_FILE_MAX {
            return Err(PgpError::TooMany {
                what: "keys in one file",
                limit: KEYS_IN_FILE_MAX,
            });
        }
        found.push(key.map_err(not_a_key)?);
    }
    if found.is_empty() {
        return Err(PgpError::NotAKey("the file holds none".into()));
    }
    Ok(found)
}

fn describe_subkey(key: &impl KeyDetails, verdict: &Verdict) -> SubkeyDescription {
    SubkeyDescription {
        fingerprint: name(key),
        algorithm: format!("{:?}", key.algorithm()),
        created: timestamp(key.created_at().as_secs()),
        expires: verdict.expires.map(timestamp),
        state: state(verdict),
        can_encrypt: verdict.may_encrypt(),
        can_sign: verdict.may_sign(),
    }
}

fn state(verdict: &Verdict) -> KeyState {
    match &verdict.fault {
        None => KeyState::Valid,
        Some(PgpError::Expired(_)) => KeyState::Expired,
        Some(PgpError::Revoked(_)) => KeyState::Revoked,
        Some(PgpError::NotYetValid(_)) => KeyState::NotYetValid,
        Some(_) => KeyState::Weak,
    }
}

pub(super) fn timestamp(seconds: u32) -> Timestamp {
    Timestamp::from_ms(i64::from(seconds) * 1000)
}
