//! How events are signed, and how calls of flows are: Standard Webhooks `v1`, and the plain hex HMAC of the integration
//! guide.

use std::fmt::Display;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{constant_time, hmac};
use bailee_model::{Error, Result, limit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::keyring::Known;
use crate::{Core, error};

/// Bytes of a secret, and of the seed of a key pair.
pub(crate) const SECRET_BYTES: usize = 32;
/// How long an old secret counts beside a new one when the client names no time.
const GRACE_DEFAULT: Duration = Duration::from_hours(24);

/// What every webhook secret begins with; the rest is base64.
pub(crate) const PREFIX: &str = "whsec_";

/// The value of `X-Signature`: lower-case hex of HMAC-SHA-256 over the exact body, keyed with the secret's whole text.
pub fn hex_signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&key, body))
}

/// One value of `webhook-signature`: `v1,` and base64 of HMAC-SHA-256 over `id.timestamp.body`, keyed with the bytes
/// behind `whsec_` (<https://www.standardwebhooks.com>). `None` when the text is not a secret.
pub fn standard_signature(
    secret: &str,
    id: &str,
    timestamp_seconds: i64,
    body: &[u8],
) -> Option<String> {
    let bytes = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{timestamp_seconds}.").as_bytes());
    context.update(body);
    Some(format!("v1,{}", STANDARD.encode(context.sign())))
}

/// Whether one of the values of `webhook-signature`, with spaces between, is that of a secret. Each is compared in a time
/// that does not tell how near it comes.
pub(crate) fn is_signed(
    secret: &str,
    (id, timestamp_seconds, body): (&str, i64, &[u8]),
    values: &str,
) -> bool {
    let Some(wanted) = standard_signature(secret, id, timestamp_seconds, body) else {
        return false;
    };
    let same = |value: &str| {
        constant_time::verify_slices_are_equal(value.as_bytes(), wanted.as_bytes()).is_ok()
    };
    let values = values.split(' ').take(limit::SIGNATURES_MAX);
    values.fold(false, |is_signed, value| is_signed | same(value))
}

/// How long an old secret counts beside a new one, by a client's wish.
pub(crate) fn grace(wish: Option<Duration>) -> Result<Duration> {
    let grace = wish.unwrap_or(GRACE_DEFAULT);
    if grace <= limit::WEBHOOK_GRACE_MAX {
        return Ok(grace);
    }
    let detail = format!("At most {} seconds.", limit::WEBHOOK_GRACE_MAX.as_secs());
    Err(Error::field("#/grace_seconds", "out_of_range", detail))
}

impl Core {
    /// A new secret to sign with: as it is shown once, and sealed for whom it is.
    pub(crate) fn new_secret(
        &self,
        of: impl Display,
        known: &Known,
    ) -> Result<(SecretString, Vec<u8>)> {
        let mut bytes = zeroize::Zeroizing::new([0_u8; SECRET_BYTES]);
        self.chance.fill(bytes.as_mut_slice());
        let text = format!("{PREFIX}{}", STANDARD.encode(bytes.as_slice()));
        let sealed = known
            .key
            .seal_secret(text.as_bytes(), &of.to_string(), &*self.chance);
        Ok((text.into(), sealed.map_err(error::from_key)?))
    }
}

/// What every public key begins with; the rest is base64.
const PUBLIC_PREFIX: &str = "whpk_";

/// The public key of a seed as Standard Webhooks writes it. `None` when the seed is none.
pub(crate) fn public_key(seed: &[u8]) -> Option<String> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    let key = STANDARD.encode(pair.public_key().as_ref());
    Some(format!("{PUBLIC_PREFIX}{key}"))
}

/// One value of `webhook-signature` that a public key verifies: `v1a,` and base64 of Ed25519 over `id.timestamp.body`.
pub(crate) fn public_key_signature(
    seed: &[u8],
    id: &str,
    timestamp_seconds: i64,
    body: &[u8],
) -> Option<String> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    let mut signed = format!("{id}.{timestamp_seconds}.").into_bytes();
    signed.extend_from_slice(body);
    Some(format!("v1a,{}", STANDARD.encode(pair.sign(&signed))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_YmFpbGVlLWV4YW1wbGUtd2ViaG9vay1zZWNyZXQtMDE=";
    const BODY: &[u8] =
        br#"{"type":"transfer.completed","transfer_id":"xfr_01m7yp4kyae4ma4jz41b93y214","status":"completed"}"#;

    #[test]
    fn both_signatures_equal_the_published_vector() {
        assert_eq!(
            hex_signature(SECRET, BODY),
            "4907a2aa0c52fa341b972ed59fc246a9d6788bebff8bcb48ae9c61cc5153dcea"
        );
        assert_eq!(
            standard_signature(
                SECRET,
                "evt_01m7yp4nesedqrb018tr4sjm6r",
                1_795_252_443,
                BODY
            )
            .as_deref(),
            Some("v1,+X+F2v/DezzNiKhjwLiaUOtY2anLHg5O/ZM7NbDlxuI=")
        );
        assert_eq!(standard_signature("other", "evt", 0, BODY), None);
    }

    #[test]
    fn one_good_signature_among_others_is_enough() {
        let signed = ("evt_01m7yp4nesedqrb018tr4sjm6r", 1_795_252_443, BODY);
        let good = "v1,+X+F2v/DezzNiKhjwLiaUOtY2anLHg5O/ZM7NbDlxuI=";
        assert!(is_signed(SECRET, signed, good));
        assert!(is_signed(SECRET, signed, &format!("v1a,x v1,AAAA {good}")));
        for bad in [
            "",
            "v1,",
            "v1,AAAA",
            &good.to_lowercase(),
            &good.replace("v1,", "v2,"),
        ] {
            assert!(!is_signed(SECRET, signed, bad), "{bad}");
        }
        let (id, time, body) = signed;
        assert!(!is_signed(SECRET, (id, time + 1, body), good));
        assert!(!is_signed(SECRET, ("other", time, body), good));
        assert!(!is_signed(SECRET, (id, time, b"{}"), good));
        let many = "v1,AAAA ".repeat(limit::SIGNATURES_MAX) + good;
        assert!(!is_signed(SECRET, signed, &many), "beyond the bound");
    }
}
