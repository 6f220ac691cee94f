//! Upload sessions at rest.
//!
//! Whoever knows a session's address can write to that one object for a week, without any other credential. A writer's
//! token is kept with the transfer and shown to operators, so the address in it is sealed with a key that is made from
//! the remote's own credential: the token opens nothing without what opens the whole bucket anyway. After that credential
//! was replaced the token cannot be opened any more, and the write begins anew. Without a credential (a bucket that is
//! open to everybody) the key is known to everybody as well, and the session opens nothing that is closed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use crate::fault::{Fault, FaultKind, Result};

/// What the keys are made for. The number changes with the format.
const SEAL_FORMAT: &[u8] = b"bailee gcs upload session 1: seal";
const NONCE_FORMAT: &[u8] = b"bailee gcs upload session 1: nonce";

/// Seals and opens for one credential.
pub(super) struct Seal {
    key: LessSafeKey,
    nonce_key: hmac::Key,
}

impl Seal {
    pub(super) fn new(secret: &SecretString) -> Result<Self> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, hmac::sign(&root, SEAL_FORMAT).as_ref());
        let key = key.map_err(|_| Fault::new(FaultKind::Invalid, "no key can be made"))?;
        Ok(Self {
            key: LessSafeKey::new(key),
            nonce_key: hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, NONCE_FORMAT).as_ref()),
        })
    }

    /// `text`, to be opened for `place` only. The nonce is made from both, so it comes again only with the same of both.
    pub(super) fn close(&self, text: &str, place: &str) -> Option<String> {
        let mut context = hmac::Context::with_key(&self.nonce_key);
        context.update(&(place.len() as u64).to_be_bytes());
        context.update(place.as_bytes());
        context.update(text.as_bytes());
        let tag = context.sign();
        let nonce: [u8; NONCE_LEN] = tag.as_ref().get(..NONCE_LEN)?.try_into().ok()?;
        let mut sealed = text.as_bytes().to_vec();
        let place = Aad::from(place.as_bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut sealed)
            .ok()?;
        let mut whole = nonce.to_vec();
        whole.extend(sealed);
        Some(URL_SAFE_NO_PAD.encode(whole))
    }

    /// What was sealed for `place`.
    pub(super) fn open(&self, sealed: &str, place: &str) -> Option<String> {
        let whole = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = sealed.to_vec();
        let place = Aad::from(place.as_bytes());
        let text = self.key.open_in_place(nonce, place, &mut text).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_credential_and_place_open_it() {
        let seal = Seal::new(&"secret".to_owned().into()).unwrap();
        let sealed = seal.close("/upload?upload_id=AbC", "box/a").unwrap();
        assert!(!sealed.contains("AbC"));
        let opened = seal.open(&sealed, "box/a");
        assert_eq!(opened.as_deref(), Some("/upload?upload_id=AbC"));
        assert_eq!(seal.open(&sealed, "box/b"), None);
        let other = Seal::new(&"other".to_owned().into()).unwrap();
        assert_eq!(other.open(&sealed, "box/a"), None);
        for garbled in ["", "AAAA", "é", &sealed[1..], &format!("{sealed}A")] {
            assert_eq!(seal.open(garbled, "box/a"), None);
        }
        assert_eq!(seal.close("x", "box/a"), seal.close("x", "box/a"));
        assert_ne!(seal.close("x", "box/a"), seal.close("x", "box/b"));
    }
}
