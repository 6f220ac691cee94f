//! Signed checkpoints of journals, in the signed-note format of C2SP (<https://c2sp.org/signed-note>), and the key that
//! verifies them.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::merkle::Hash;
use crate::{Error, Result};

/// The algorithm byte of Ed25519 in a note's key id.
const ED25519_ID: u8 = 1;

/// A public key that verifies checkpoints and receipts: `name+id+base64`, as `GET /audit/keys` and `bailee audit keys`
/// show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: Vec<u8>,
}

impl std::str::FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::usage("a key looks like bailee+1a2b3c4d+AbC…, as `bailee audit keys` shows it")
        };
        let mut parts = text.trim().splitn(3, '+');
        let (name, id, key) = (parts.next(), parts.next(), parts.next());
        let (Some(name), Some(id), Some(key)) = (name, id, key) else {
            return Err(bad());
        };
        let key = STANDARD.decode(key).map_err(|_| bad())?;
        let Some((&ED25519_ID, bytes)) = key.split_first() else {
            return Err(bad());
        };
        let found = Self {
            name: name.to_owned(),
            id: key_id(name, &key),
            key: bytes.to_vec(),
        };
        if bytes.len() != 32 || hex::encode(found.id) != id {
            return Err(bad());
        }
        Ok(found)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ED25519_ID];
        key.extend(&self.key);
        let (name, id) = (&self.name, hex::encode(self.id));
        write!(out, "{name}+{id}+{}", STANDARD.encode(key))
    }
}

impl VerifierKey {
    /// Whether `signature` is this key's over `text`.
    pub fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        key.verify(text.as_bytes(), signature).is_ok()
    }

    /// Reads a checkpoint that this key signed.
    pub fn open(&self, note: &str) -> std::result::Result<SignedCheckpoint, &'static str> {
        let (text, signatures) = note.split_once("\n\n").ok_or("it has no signature")?;
        let text = format!("{text}\n");
        let mut good = signatures.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let value = STANDARD.decode(value).ok()?;
            let (id, signature) = value.split_at_checked(4)?;
            (name == self.name && id == self.id).then(|| signature.to_vec())
        });
        let signature = good.next().ok_or("it is signed with another key")?;
        if !self.verifies(&text, &signature) {
            return Err("its signature is not good");
        }
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        let size = size.and_then(|size| size.parse().ok());
        let root = root
            .and_then(|root| STANDARD.decode(root).ok())
            .and_then(|root| root.try_into().ok());
        match (origin, size, root) {
            (Some(origin), Some(tree_size), Some(root)) => Ok(SignedCheckpoint {
                origin: origin.to_owned(),
                tree_size,
                root,
            }),
            _ => Err("it is no checkpoint"),
        }
    }
}

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// Which journal: `bailee/` and the tenant's id.
    pub origin: String,
    /// Entries covered.
    pub tree_size: u64,
    /// The root of their tree.
    pub root: Hash,
}

fn key_id(name: &str, key: &[u8]) -> [u8; 4] {
    let mut text = format!("{name}\n").into_bytes();
    text.extend(key);
    let mut id = [0; 4];
    id.copy_from_slice(digest(&SHA256, &text).as_ref().get(..4).unwrap_or(&[0; 4]));
    id
}
