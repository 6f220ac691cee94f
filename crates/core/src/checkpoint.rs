//! Signed checkpoints in the signed-note format of C2SP (<https://c2sp.org/signed-note>, `tlog-checkpoint`).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use bailee_model::{Error, Result, TenantId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Who signs, in a note's signature line.
const SIGNER: &str = "bailee";
/// The algorithm byte of Ed25519 in a note's key id.
const ED25519_ID: u8 = 1;

/// The installation's Ed25519 key for checkpoints.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The key of a seed.
    pub(crate) fn from_seed(seed: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|_| Error::internal("not a signing key"))?;
        Ok(Self { pair })
    }

    /// The public key, 32 bytes.
    pub fn public_key(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    /// The verifier key as C2SP writes it: `bailee+<key id>+<algorithm and key>`.
    pub fn verifier(&self) -> String {
        let mut key = vec![ED25519_ID];
        key.extend(self.public_key());
        format!(
            "{SIGNER}+{}+{}",
            hex::encode(self.key_id()),
            STANDARD.encode(key)
        )
    }

    fn key_id(&self) -> [u8; 4] {
        key_id(&self.public_key())
    }

    /// A signature over `text`, which begins with a line that says what it is: no text of one kind can be taken for
    /// another's.
    pub(crate) fn sign_text(&self, text: &str) -> String {
        STANDARD.encode(self.pair.sign(text.as_bytes()).as_ref())
    }

    /// A checkpoint of a tenant's journal: its origin, size and root, signed.
    pub(crate) fn sign(&self, tenant: TenantId, size: u64, root: &[u8; 32]) -> String {
        let text = format!("{}\n{size}\n{}\n", origin(tenant), STANDARD.encode(root));
        let mut signature = self.key_id().to_vec();
        signature.extend(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {SIGNER} {}\n", STANDARD.encode(signature))
    }
}

/// What a tenant's checkpoints call its journal.
fn origin(tenant: TenantId) -> String {
    format!("bailee/{tenant}")
}

fn key_id(public_key: &[u8]) -> [u8; 4] {
    let mut text = format!("{SIGNER}\n").into_bytes();
    text.push(ED25519_ID);
    text.extend(public_key);
    let mut id = [0; 4];
    id.copy_from_slice(digest(&SHA256, &text).as_ref().get(..4).unwrap_or(&[0; 4]));
    id
}

/// Size and root of a checkpoint whose signature is good; `None` for anything else.
pub(crate) fn open(note: &str, tenant: TenantId, public_key: &[u8]) -> Option<(u64, [u8; 32])> {
    let (text, signatures) = note.split_once("\n\n")?;
    let text = format!("{text}\n");
    let signature = signatures
        .lines()
        .find_map(|line| line.strip_prefix(&format!("\u{2014} {SIGNER} ")))?;
    let signature = STANDARD.decode(signature).ok()?;
    let (id, signature) = signature.split_at_checked(4)?;
    if id != key_id(public_key) {
        return None;
    }
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(text.as_bytes(), signature)
        .ok()?;
    let mut lines = text.lines();
    if lines.next()? != origin(tenant) {
        return None;
    }
    let size = lines.next()?.parse().ok()?;
    let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
    Some((size, root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_opens_only_as_it_was_signed() {
        let key = SigningKey::from_seed(&[7; 32]);
        assert!(key.is_ok());
        let Ok(key) = key else { return };
        let tenant = TenantId::from_bits(5);
        let note = key.sign(tenant, 12, &[3; 32]);
        assert_eq!(open(&note, tenant, &key.public_key()), Some((12, [3; 32])));
        assert_eq!(open(&note, TenantId::from_bits(6), &key.public_key()), None);
        assert_eq!(
            open(&note.replace("\n12\n", "\n13\n"), tenant, &key.public_key()),
            None
        );
        assert_eq!(open(&note, tenant, &[0; 32]), None);
        assert_eq!(open("", tenant, &key.public_key()), None);
    }
}
