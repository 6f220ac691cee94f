//! The key hierarchy: the root key wraps each tenant's wrapping key, which wraps each file's data key and seals small
//! secrets. Rotation of a key re-wraps the keys below it and leaves data alone.
//!
//! A wrapped key is: version byte, 12-byte nonce, ciphertext, 16-byte tag (AES-256-GCM). The associated data is the
//! purpose and the caller's context (such as a tenant id), so that a row copied elsewhere does not open. Key types do
//! not print, compare or serialise, and are erased when dropped.

use std::ffi::OsStr;
use std::io;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use bailee_model::Chance;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::disk::private_file;

const KEY_BYTES: usize = 32;
const ROOT_FILE_PREFIX: &str = "bailee-root-key-1:";
const WRAP_VERSION: u8 = 1;
const SECRET_VERSION: u8 = 1;
const SECRET_SALT_BYTES: usize = 32;

/// The purposes of wrapping, each its own domain.
const WRAPPING_KEY_PURPOSE: &str = "bailee wrapping key v1";
const DATA_KEY_PURPOSE: &str = "bailee data key v1";
const SECRET_PURPOSE: &str = "bailee secret v1";

/// A key could not be read, made, wrapped or unwrapped. Says nothing about its bytes.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The root key file cannot be read or written.
    #[error("root key file: cannot {what}")]
    File {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// There is no root key file.
    #[error("the root key file does not exist")]
    Missing,
    /// Group or others may read the root key file.
    #[error("the root key file must be readable by its owner only (mode {mode:o})")]
    Exposed {
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not `bailee-root-key-1:` and 64 hex digits.
    #[error("the root key file is malformed")]
    Malformed,
    /// The wrapped bytes do not open: changed, cut, another key, or another context.
    #[error("the wrapped key or secret does not open")]
    DoesNotOpen,
    /// The cryptographic library refused to seal; never seen.
    #[error("the cipher refused")]
    Cipher,
}

/// The key above all: it wraps the tenants' wrapping keys and nothing else.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RootKey([u8; KEY_BYTES]);

impl RootKey {
    /// The key in the file at `path`, which is made with mode 0600 if there is none. Durable when this returns; of
    /// several processes that start at once, one makes the key and all use it. Blocks.
    pub fn load_or_create(path: impl AsRef<OsStr>, chance: &dyn Chance) -> Result<Self, KeyError> {
        match Self::load(path.as_ref()) {
            Err(KeyError::Missing) => {}
            other => return other,
        }
        let key = Self(random(chance));
        let digits = Zeroizing::new(hex::encode(key.0));
        let line = Zeroizing::new(format!("{ROOT_FILE_PREFIX}{}\n", digits.as_str()));
        let mut suffix = [0; 8];
        chance.fill(&mut suffix);
        match private_file::create(path.as_ref(), &hex::encode(suffix), line.as_bytes()) {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path.as_ref()),
            Err(source) => Err(KeyError::File {
                what: "create",
                source,
            }),
        }
    }

    /// The key in the file at `path`; refused if anyone but its owner can read it. Blocks.
    pub fn load(path: impl AsRef<OsStr>) -> Result<Self, KeyError> {
        let (mode, line) =
            private_file::read(path.as_ref()).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => KeyError::Missing,
                _ => KeyError::File {
                    what: "read",
                    source,
                },
            })?;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { mode });
        }
        let digits = std::str::from_utf8(&line)
            .ok()
            .and_then(|line| line.trim_end().strip_prefix(ROOT_FILE_PREFIX))
            .ok_or(KeyError::Malformed)?;
        let mut key = Self([0; KEY_BYTES]);
        hex::decode_to_slice(digits, &mut key.0).map_err(|_| KeyError::Malformed)?;
        Ok(key)
    }

    /// The key with the given bytes, for providers that keep it elsewhere.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }
}

/// A tenant's key: it wraps the data keys of its files and seals its secrets.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct WrappingKey([u8; KEY_BYTES]);

impl WrappingKey {
    /// A new random key.
    pub fn generate(chance: &dyn Chance) -> Self {
        Self(random(chance))
    }

    /// This key, wrapped for the database. `context` (the tenant id) must be given again to unwrap.
    pub fn wrap_with(
        &self,
        root: &RootKey,
        context: &str,
        chance: &dyn Chance,
    ) -> Result<Vec<u8>, KeyError> {
        wrap(&root.0, WRAPPING_KEY_PURPOSE, context, &self.0, chance)
    }

    /// The key that was wrapped.
    pub fn unwrap_with(wrapped: &[u8], root: &RootKey, context: &str) -> Result<Self, KeyError> {
        unwrap(&root.0, WRAPPING_KEY_PURPOSE, context, wrapped).map(Self)
    }

    /// Seals a small secret (a password of a remote, a webhook secret, a saved state) for the database. Each is sealed
    /// under a key of its own, derived with a random salt: version byte, 32-byte salt, ciphertext, tag.
    pub fn seal_secret(
        &self,
        secret: &[u8],
        context: &str,
        chance: &dyn Chance,
    ) -> Result<Vec<u8>, KeyError> {
        let salt: [u8; SECRET_SALT_BYTES] = random(chance);
        let mut sealed =
            Vec::with_capacity(1 + SECRET_SALT_BYTES + secret.len() + AES_256_GCM.tag_len());
        sealed.push(SECRET_VERSION);
        sealed.extend_from_slice(&salt);
        let mut body = Zeroizing::new(Vec::with_capacity(secret.len() + AES_256_GCM.tag_len()));
        body.extend_from_slice(secret);
        self.secret_key(&salt)?
            .seal_in_place_append_tag(secret_nonce(), aad(SECRET_PURPOSE, context), &mut *body)
            .map_err(|_| KeyError::Cipher)?;
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// The secret that was sealed with the same context.
    pub fn open_secret(
        &self,
        sealed: &[u8],
        context: &str,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (&version, rest) = sealed.split_first().ok_or(KeyError::DoesNotOpen)?;
        let (salt, body) = rest
            .split_first_chunk::<SECRET_SALT_BYTES>()
            .ok_or(KeyError::DoesNotOpen)?;
        if version != SECRET_VERSION {
            return Err(KeyError::DoesNotOpen);
        }
        let mut body = Zeroizing::new(body.to_vec());
        let secret_bytes = self
            .secret_key(salt)?
            .open_in_place(secret_nonce(), aad(SECRET_PURPOSE, context), &mut body)
            .map_err(|_| KeyError::DoesNotOpen)?
            .len();
        body.truncate(secret_bytes);
        Ok(body)
    }

    fn secret_key(&self, salt: &[u8; SECRET_SALT_BYTES]) -> Result<LessSafeKey, KeyError> {
        let mut key = Zeroizing::new([0u8; KEY_BYTES]);
        Salt::new(HKDF_SHA256, salt)
            .extract(&self.0)
            .expand(&[SECRET_PURPOSE.as_bytes()], HKDF_SHA256)
            .and_then(|okm| okm.fill(key.as_mut_slice()))
            .map_err(|_| KeyError::Cipher)?;
        cipher(&key)
    }
}

/// A file's key: every blob of the file has a key derived from it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; KEY_BYTES]);

impl DataKey {
    /// A new random key.
    pub fn generate(chance: &dyn Chance) -> Self {
        Self(random(chance))
    }

    /// This key, wrapped for the file's row. `context` (tenant and file id) must be given again to unwrap.
    pub fn wrap_with(
        &self,
        tenant: &WrappingKey,
        context: &str,
        chance: &dyn Chance,
    ) -> Result<Vec<u8>, KeyError> {
        wrap(&tenant.0, DATA_KEY_PURPOSE, context, &self.0, chance)
    }

    /// The key that was wrapped.
    pub fn unwrap_with(
        wrapped: &[u8],
        tenant: &WrappingKey,
        context: &str,
    ) -> Result<Self, KeyError> {
        unwrap(&tenant.0, DATA_KEY_PURPOSE, context, wrapped).map(Self)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

fn random<const N: usize>(chance: &dyn Chance) -> [u8; N] {
    let mut bytes = [0; N];
    chance.fill(&mut bytes);
    bytes
}

fn cipher(key: &[u8; KEY_BYTES]) -> Result<LessSafeKey, KeyError> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| KeyError::Cipher)?;
    Ok(LessSafeKey::new(key))
}

/// Purposes contain no NUL, so purpose and context cannot be confused.
fn aad(purpose: &str, context: &str) -> Aad<Vec<u8>> {
    Aad::from([purpose.as_bytes(), &[0], context.as_bytes()].concat())
}

/// A secret's key seals one message only, so its nonce may be constant.
fn secret_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn wrap(
    key: &[u8; KEY_BYTES],
    purpose: &str,
    context: &str,
    inner: &[u8; KEY_BYTES],
    chance: &dyn Chance,
) -> Result<Vec<u8>, KeyError> {
    let nonce: [u8; NONCE_LEN] = random(chance);
    let mut body = Zeroizing::new(*inner);
    let tag = cipher(key)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            aad(purpose, context),
            body.as_mut_slice(),
        )
        .map_err(|_| KeyError::Cipher)?;
    Ok([
        &[WRAP_VERSION],
        nonce.as_slice(),
        body.as_slice(),
        tag.as_ref(),
    ]
    .concat())
}

fn unwrap(
    key: &[u8; KEY_BYTES],
    purpose: &str,
    context: &str,
    wrapped: &[u8],
) -> Result<[u8; KEY_BYTES], KeyError> {
    let (&version, rest) = wrapped.split_first().ok_or(KeyError::DoesNotOpen)?;
    let (nonce, body) = rest
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(KeyError::DoesNotOpen)?;
    if version != WRAP_VERSION {
        return Err(KeyError::DoesNotOpen);
    }
    let mut body = Zeroizing::new(body.to_vec());
    let inner = cipher(key)?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            aad(purpose, context),
            &mut body,
        )
        .map_err(|_| KeyError::DoesNotOpen)?;
    <[u8; KEY_BYTES]>::try_from(&*inner).map_err(|_| KeyError::DoesNotOpen)
}
