//! How events are signed: Standard Webhooks `v1`, and the plain hex HMAC of the integration guide.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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
}
