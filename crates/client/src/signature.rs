//! Webhook signatures: Standard Webhooks `v1` and the plain `X-Signature`.
//!
//! `v1` signs `<id>.<timestamp>.<body>` with the decoded bytes behind `whsec_`; `X-Signature` signs the body alone with
//! the whole secret text. Texts and keys differ, so neither signature helps to forge the other.

use aws_lc_rs::{constant_time, hmac};
use bailee_model::{Chance, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Error, limit};

const PREFIX: &str = "whsec_";

/// The secret of a webhook. Never shown by `Debug`.
pub struct WebhookSecret {
    text: String,
    decoded: Vec<u8>,
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("WebhookSecret(…)")
    }
}

/// The signature headers of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, in seconds since 1970.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// `X-Signature`.
    pub body_hmac: String,
}

impl WebhookSecret {
    /// Reads `whsec_<base64>`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let decoded = text
            .strip_prefix(PREFIX)
            .and_then(|rest| STANDARD.decode(rest).ok())
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| Error::usage("a webhook secret looks like whsec_ and base64"))?;
        Ok(Self {
            text: text.to_owned(),
            decoded,
        })
    }

    /// A fresh secret of 32 bytes.
    pub fn new(chance: &dyn Chance) -> Self {
        let mut bytes = [0u8; 32];
        chance.fill(&mut bytes);
        Self {
            text: format!("{PREFIX}{}", STANDARD.encode(bytes)),
            decoded: bytes.to_vec(),
        }
    }

    /// The text, for whoever must configure a receiver.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Signs `body` as the delivery `id` at `now`.
    pub fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> Signed {
        let timestamp = now.seconds().to_string();
        let signature = format!("v1,{}", STANDARD.encode(self.v1(id, &timestamp, body)));
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.text.as_bytes());
        Signed {
            id: id.to_owned(),
            timestamp,
            signature,
            body_hmac: hex::encode(hmac::sign(&key, body)),
        }
    }

    /// Whether one of the `v1` values of `signature` fits, and `timestamp` is within five minutes of `now`.
    pub fn verify(&self, signed: &Signed, now: Timestamp, body: &[u8]) -> bool {
        let fresh = signed
            .timestamp
            .parse::<i64>()
            .is_ok_and(|sent| (now.seconds() - sent).abs() <= limit::WEBHOOK_TOLERANCE_SECONDS);
        let wanted = self.v1(&signed.id, &signed.timestamp, body);
        let genuine = signed
            .signature
            .split(' ')
            .filter_map(|value| value.strip_prefix("v1,"))
            .filter_map(|value| STANDARD.decode(value).ok())
            .any(|given| constant_time::verify_slices_are_equal(&given, &wanted).is_ok());
        fresh && genuine
    }

    /// Whether `body_hmac` (lower-case hex, `X-Signature`) fits `body`.
    pub fn verify_body_hmac(&self, body_hmac: &str, body: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.text.as_bytes());
        hex::decode(body_hmac).is_ok_and(|given| hmac::verify(&key, body, &given).is_ok())
    }

    fn v1(&self, id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.decoded);
        let mut context = hmac::Context::with_key(&key);
        context.update(id.as_bytes());
        context.update(b".");
        context.update(timestamp.as_bytes());
        context.update(b".");
        context.update(body);
        context.sign().as_ref().to_vec()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"type":"transfer.completed","transfer_id":"xfr_01m7yp4kyae4ma4jz41b93y214","status":"completed"}"#;
    const ID: &str = "evt_01m7yp4nesedqrb018tr4sjm6r";

    fn secret() -> WebhookSecret {
        WebhookSecret::parse("whsec_YmFpbGVlLWV4YW1wbGUtd2ViaG9vay1zZWNyZXQtMDE=").unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_ms(1_795_252_443_000)
    }

    #[test]
    fn the_published_test_vector_comes_out() {
        let signed = secret().sign(ID, now(), BODY);
        assert_eq!(signed.timestamp, "1795252443");
        assert_eq!(
            signed.signature,
            "v1,+X+F2v/DezzNiKhjwLiaUOtY2anLHg5O/ZM7NbDlxuI="
        );
        assert_eq!(
            signed.body_hmac,
            "4907a2aa0c52fa341b972ed59fc246a9d6788bebff8bcb48ae9c61cc5153dcea"
        );
    }

    #[test]
    fn a_changed_byte_an_old_time_and_another_secret_are_refused() {
        let secret = secret();
        let signed = secret.sign(ID, now(), BODY);
        assert!(secret.verify(&signed, now(), BODY));
        assert!(secret.verify_body_hmac(&signed.body_hmac, BODY));
        let mut changed = BODY.to_vec();
        changed.push(b' ');
        assert!(!secret.verify(&signed, now(), &changed));
        assert!(!secret.verify_body_hmac(&signed.body_hmac, &changed));
        let late = Timestamp::from_ms(now().ms() + 301_000);
        assert!(!secret.verify(&signed, late, BODY));
        let other = WebhookSecret::new(&crate::SystemChance::default());
        assert!(!other.verify(&signed, now(), BODY));
        assert!(!format!("{other:?}").contains(other.expose()));
    }
}
