//! Keys as files: what they hold, whether they may be taken, and the form in which secret parts are sealed.

use bailee_content::pgp::{
    Encoding, KeyDescription, KeyState, Passphrase, PgpError, PublicKey, SecretKey, Signer,
};
use bailee_model::{
    Error, ErrorKind, PgpKey, PgpKeyPart, PgpKeyState, PgpUsage, Result, Timestamp, limit,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A key's file as it was sent: armored text, or base64 of the binary form.
#[derive(Clone, Debug)]
pub struct PgpKeyFile {
    /// The text.
    pub text: SecretString,
    /// What opens the secret part.
    pub passphrase: Option<SecretString>,
}

/// A file that was read and holds one key.
pub(super) struct Read {
    pub(super) public: PublicKey,
    pub(super) user_ids: Vec<String>,
    pub(super) secret: Option<(SecretKey, Option<SecretString>)>,
    state: KeyState,
}

/// FORMAT: how a secret part is sealed.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Sealed {
    version: u8,
    /// The secret key in its binary form, base64; locked if it was.
    key: String,
    passphrase: Option<String>,
}

const FORMAT_SEALED: u8 = 1;

/// Reads a file away from the threads that serve requests: unlocking a key takes a while on purpose.
pub(super) async fn read(file: PgpKeyFile, now: Timestamp) -> Result<Read> {
    tokio::task::spawn_blocking(move || read_file(&file, now))
        .await
        .map_err(Error::internal)?
}

fn read_file(file: &PgpKeyFile, now: Timestamp) -> Result<Read> {
    let text = file.text.expose_secret();
    if text.len() > limit::PGP_KEY_TEXT_BYTES_MAX {
        let detail = format!("At most {} bytes.", limit::PGP_KEY_TEXT_BYTES_MAX);
        return Err(Error::field("#/key", "too_large", detail));
    }
    let bytes = Zeroizing::new(bytes_of(text)?);
    let unfit = |error: PgpError| refused("#/key", &error);
    let mut all = PublicKey::parse(&bytes).map_err(unfit)?;
    let count = all.len();
    let (Some(public), true) = (all.pop(), count == 1) else {
        let detail = format!("The file holds {count} keys; send them one by one.");
        return Err(Error::field("#/key", "several_keys", detail));
    };
    let secret = SecretKey::parse(&bytes).ok().and_then(|mut all| all.pop());
    let Some(secret) = secret else {
        if file.passphrase.is_some() {
            let detail = "A public key has no passphrase; is this the file that you meant?";
            return Err(Error::field("#/passphrase", "not_needed", detail));
        }
        return Ok(Read::of_public(public, now));
    };
    let passphrase = unlock(&secret, file.passphrase.as_ref())?;
    Ok(Read::of_secret(secret, passphrase, now))
}

/// What opens the secret part, which it must if it is locked.
fn unlock(secret: &SecretKey, given: Option<&SecretString>) -> Result<Option<SecretString>> {
    if !secret.is_locked() {
        return Ok(None);
    }
    let Some(given) = given else {
        let detail = "The secret key is locked; send its passphrase along.";
        return Err(Error::field("#/passphrase", "needed", detail));
    };
    if given.expose_secret().len() > limit::PGP_PASSPHRASE_BYTES_MAX {
        let detail = format!("At most {} bytes.", limit::PGP_PASSPHRASE_BYTES_MAX);
        return Err(Error::field("#/passphrase", "too_large", detail));
    }
    let passphrase = Passphrase::new(given.expose_secret());
    secret
        .check(&passphrase)
        .map_err(|error| refused("#/passphrase", &error))?;
    Ok(Some(given.clone()))
}

fn bytes_of(text: &str) -> Result<Vec<u8>> {
    let text = text.trim();
    if text.starts_with("-----BEGIN") {
        return Ok(text.as_bytes().to_vec());
    }
    let packed: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    STANDARD.decode(packed.as_bytes()).map_err(|_| {
        let detail = "Must be an armored key (`-----BEGIN PGP …`) or base64 of a binary one.";
        Error::field("#/key", "not_a_key", detail)
    })
}

impl Read {
    fn of_public(public: PublicKey, now: Timestamp) -> Self {
        let told = public.describe(now);
        Self {
            public,
            user_ids: told.user_ids,
            secret: None,
            state: told.state,
        }
    }

    pub(super) fn of_secret(
        secret: SecretKey,
        passphrase: Option<SecretString>,
        now: Timestamp,
    ) -> Self {
        Self {
            secret: Some((secret.clone(), passphrase)),
            ..Self::of_public(secret.public(), now)
        }
    }

    /// Refuses a key that could not be used.
    pub(super) fn refuse_unfit(&self) -> Result<()> {
        let name = self.public.fingerprint();
        let (code, detail) = match self.state {
            KeyState::Valid => return Ok(()),
            KeyState::NotYetValid => (
                "not_yet_valid",
                format!("The key {name} is not valid yet; compare the clocks."),
            ),
            KeyState::Expired => (
                "expired",
                format!("The key {name} has expired; ask its owner for a newer form of it."),
            ),
            KeyState::Revoked => (
                "revoked",
                format!("The key {name} was revoked by its owner; ask for another."),
            ),
            KeyState::Weak => (
                "weak",
                format!(
                    "The key {name} is too weak: RSA below 2048 bits, or held together by MD5 or SHA-1."
                ),
            ),
        };
        Err(Error::field("#/key", code, detail))
    }

    /// Refuses what is no newer form of `key`. Nobody brings a revoked key back, and a secret part keeps its own copy of
    /// what is said of it.
    pub(super) fn refuse_to_succeed(&self, key: &PgpKey, now: Timestamp) -> Result<()> {
        let found = self.public.fingerprint();
        if found != key.primary.fingerprint {
            let detail = format!(
                "This is another key: {found}, not {}.",
                key.primary.fingerprint
            );
            return Err(Error::field("#/key", "another_key", detail));
        }
        let is_revoked = self.state == KeyState::Revoked;
        if is_revoked {
            return Ok(());
        }
        if key.state(now) == PgpKeyState::Revoked {
            let detail = "The key was revoked by its owner; that cannot be taken back.";
            return Err(Error::new(ErrorKind::StateConflict, detail));
        }
        if matches!(self.state, KeyState::Weak | KeyState::NotYetValid) {
            self.refuse_unfit()?;
        }
        if key.has_secret && self.secret.is_none() {
            let detail = "The tenant's own key is refreshed with its secret part.";
            return Err(Error::field("#/key", "secret_needed", detail));
        }
        Ok(())
    }

    /// The public part as it is kept.
    pub(super) fn exported(&self) -> Result<Vec<u8>> {
        self.public
            .export(Encoding::Binary)
            .map_err(Error::internal)
    }

    /// What is sealed.
    pub(super) fn secret_plain(&self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Some((secret, passphrase)) = &self.secret else {
            return Ok(None);
        };
        let key = secret.export(Encoding::Binary).map_err(Error::internal)?;
        let sealed = Sealed {
            version: FORMAT_SEALED,
            key: STANDARD.encode(key.as_slice()),
            passphrase: passphrase
                .as_ref()
                .map(|text| text.expose_secret().to_owned()),
        };
        let plain = serde_json::to_vec(&sealed).map_err(Error::internal)?;
        Ok(Some(Zeroizing::new(plain)))
    }
}

/// A secret part, opened.
pub(super) fn signer(plain: &[u8]) -> Result<Signer> {
    let sealed: Sealed = serde_json::from_slice(plain)
        .map_err(|_| Error::internal("a sealed key has an unknown form"))?;
    if sealed.version != FORMAT_SEALED {
        return Err(Error::internal("a sealed key is of an unknown version"));
    }
    let bytes = STANDARD.decode(sealed.key.as_bytes());
    let bytes = Zeroizing::new(bytes.map_err(|_| Error::internal("a sealed key is no base64"))?);
    let key = SecretKey::parse(&bytes).map_err(Error::internal)?.pop();
    Ok(Signer {
        key: key.ok_or_else(|| Error::internal("a sealed key is empty"))?,
        passphrase: sealed.passphrase.as_deref().map(Passphrase::new),
    })
}

/// What is told of a key and of its subkeys.
pub(super) fn facts(public: &PublicKey, now: Timestamp) -> (PgpKeyPart, Vec<PgpKeyPart>) {
    let KeyDescription {
        fingerprint,
        algorithm,
        created,
        expires,
        state,
        primary_can_encrypt,
        primary_can_sign,
        subkeys,
        ..
    } = public.describe(now);
    let primary = PgpKeyPart {
        fingerprint,
        algorithm,
        created_at: created,
        expires_at: expires,
        is_revoked: state == KeyState::Revoked,
        can_encrypt: primary_can_encrypt,
        can_sign: primary_can_sign,
    };
    let subkeys = subkeys.into_iter().map(|part| PgpKeyPart {
        fingerprint: part.fingerprint,
        algorithm: part.algorithm,
        created_at: part.created,
        expires_at: part.expires,
        is_revoked: part.state == KeyState::Revoked,
        can_encrypt: part.can_encrypt,
        can_sign: part.can_sign,
    });
    (primary, subkeys.collect())
}

/// What a key may be used for: what was wished, if it can, or all that it can.
pub(super) fn usage_of(key: &PgpKey, wish: Option<Vec<PgpUsage>>) -> Result<Vec<PgpUsage>> {
    let can = |usage: PgpUsage| {
        let fits = |part: &PgpKeyPart| match usage {
            PgpUsage::Encrypt => part.can_encrypt,
            PgpUsage::Sign => part.can_sign,
        };
        std::iter::once(&key.primary).chain(&key.subkeys).any(fits)
    };
    let Some(mut wish) = wish else {
        return Ok(PgpUsage::ALL.into_iter().filter(|one| can(*one)).collect());
    };
    wish.sort_unstable();
    wish.dedup();
    match wish.iter().find(|one| !can(**one)) {
        Some(PgpUsage::Encrypt) => {
            let detail = "No part of the key may encrypt.";
            Err(Error::field("#/usage", "cannot_encrypt", detail))
        }
        Some(PgpUsage::Sign) => {
            let detail = "No part of the key may sign.";
            Err(Error::field("#/usage", "cannot_sign", detail))
        }
        None => Ok(wish),
    }
}

fn refused(pointer: &str, error: &PgpError) -> Error {
    let detail = error.to_string();
    let mut letters = detail.chars();
    let detail: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .chain(std::iter::once('.'))
        .collect();
    Error::field(pointer, error.code(), detail)
}
