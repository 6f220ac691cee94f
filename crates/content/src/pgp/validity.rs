//! Which parts of a key may do what, now.
//!
//! The newest self-signature that holds decides on flags and expiry. Self-signatures by MD5 or SHA-1 count for nothing; a
//! revocation counts whatever its hash, since it can only take away.

use ::pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use ::pgp::crypto::hash::HashAlgorithm;
use ::pgp::packet::{Signature, SignatureType};
use ::pgp::ser::Serialize as _;
use ::pgp::types::{KeyDetails, PublicParams, Tag};

use super::PgpError;
use crate::limit::{CLOCK_SKEW_SECONDS_MAX, RSA_BITS_MIN};

/// What may be done with one part of a key, or why nothing.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    pub(super) fault: Option<PgpError>,
    pub(super) expires: Option<u32>,
    pub(super) can_encrypt: bool,
    pub(super) can_sign: bool,
}

impl Verdict {
    pub(super) fn may_encrypt(&self) -> bool {
        self.fault.is_none() && self.can_encrypt
    }

    pub(super) fn may_sign(&self) -> bool {
        self.fault.is_none() && self.can_sign
    }
}

/// Seconds since 1970, as OpenPGP has them.
pub(super) fn seconds(at: bailee_model::Timestamp) -> u32 {
    u32::try_from(at.seconds().max(0)).unwrap_or(u32::MAX)
}

pub(super) fn is_strong(hash: Option<HashAlgorithm>) -> bool {
    matches!(
        hash,
        Some(
            HashAlgorithm::Sha256
                | HashAlgorithm::Sha384
                | HashAlgorithm::Sha512
                | HashAlgorithm::Sha3_256
                | HashAlgorithm::Sha3_512
        )
    )
}

/// The name of a key towards people.
pub(super) fn name(key: &impl KeyDetails) -> String {
    format!("{:X}", key.fingerprint())
}

/// The verdict on the primary key. A fault of it is a fault of every part.
pub(super) fn primary(key: &SignedPublicKey, at: u32) -> Verdict {
    let is_revoked = key
        .details
        .revocation_signatures
        .iter()
        .any(|signature| signature.verify_key(&key.primary_key).is_ok());
    let deciding = deciding_signature(key, at);
    judge(&key.primary_key, deciding, is_revoked, at)
}

/// The verdict on a subkey, the primary key being fine.
pub(super) fn subkey(key: &SignedPublicKey, subkey: &SignedPublicSubKey, at: u32) -> Verdict {
    let holds = |signature: &&Signature| {
        signature
            .verify_subkey_binding(&key.primary_key, &subkey.key)
            .is_ok()
    };
    let is_revoked = subkey
        .signatures
        .iter()
        .filter(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation))
        .any(|signature| holds(&signature));
    let deciding = subkey
        .signatures
        .iter()
        .filter(|signature| signature.typ() == Some(SignatureType::SubkeyBinding))
        .filter(|signature| is_current(signature, at) && holds(signature))
        .max_by_key(|signature| created(signature));
    let mut verdict = judge(&subkey.key, deciding, is_revoked, at);
    // Without the subkey's own agreement anybody could bind a foreign signing key to theirs.
    verdict.can_sign &= deciding
        .and_then(Signature::embedded_signature)
        .is_some_and(|back| {
            is_strong(back.hash_alg())
                && back
                    .verify_primary_key_binding(&subkey.key, &key.primary_key)
                    .is_ok()
        });
    verdict
}

/// User ids that hold, the primary one first.
pub(super) fn user_ids(key: &SignedPublicKey, at: u32) -> Vec<String> {
    let mut users: Vec<(bool, String)> = key
        .details
        .users
        .iter()
        .filter_map(|user| {
            let signature = certification(key, user, at)?;
            let id = String::from_utf8_lossy(user.id.id()).into_owned();
            Some((!signature.is_primary(), id))
        })
        .collect();
    users.sort_by_key(|(is_other, _)| *is_other);
    users.into_iter().map(|(_, id)| id).collect()
}

fn deciding_signature(key: &SignedPublicKey, at: u32) -> Option<&Signature> {
    let direct = key.details.direct_signatures.iter().filter(|signature| {
        signature.typ() == Some(SignatureType::Key)
            && is_current(signature, at)
            && signature.verify_key(&key.primary_key).is_ok()
    });
    let users = key.details.users.iter();
    let certifications = users.filter_map(|user| certification(key, user, at));
    direct.chain(certifications).max_by_key(|s| created(s))
}

fn certification<'k>(
    key: &SignedPublicKey,
    user: &'k ::pgp::types::SignedUser,
    at: u32,
) -> Option<&'k Signature> {
    let newest = user
        .signatures
        .iter()
        .filter(|signature| {
            let is_revocation = signature.typ() == Some(SignatureType::CertRevocation);
            (is_revocation || (signature.is_certification() && is_current(signature, at)))
                && signature
                    .verify_certification(&key.primary_key, Tag::UserId, &user.id)
                    .is_ok()
        })
        .max_by_key(|signature| created(signature))?;
    (newest.typ() != Some(SignatureType::CertRevocation)).then_some(newest)
}

fn judge(
    key: &impl KeyDetails,
    deciding: Option<&Signature>,
    is_revoked: bool,
    at: u32,
) -> Verdict {
    let born = key.created_at().as_secs();
    let lasts = deciding
        .and_then(Signature::key_expiration_time)
        .map_or(0, ::pgp::types::Duration::as_secs);
    let expires = (lasts > 0).then(|| born.saturating_add(lasts));
    let fault = if is_revoked {
        Some(PgpError::Revoked(name(key)))
    } else if let Some(why) = weakness(key) {
        Some(PgpError::WeakKey {
            key: name(key),
            why,
        })
    } else if born > at.saturating_add(CLOCK_SKEW_SECONDS_MAX) {
        Some(PgpError::NotYetValid(name(key)))
    } else if deciding.is_none() {
        Some(PgpError::WeakKey {
            key: name(key),
            why: "it is bound by no signature of today's strength".into(),
        })
    } else if expires.is_some_and(|end| end <= at) {
        Some(PgpError::Expired(name(key)))
    } else {
        None
    };
    let flags = deciding.map(Signature::key_flags).unwrap_or_default();
    Verdict {
        fault,
        expires,
        can_encrypt: flags.encrypt_comms() || flags.encrypt_storage(),
        can_sign: flags.sign(),
    }
}

fn weakness(key: &impl KeyDetails) -> Option<String> {
    match key.public_params() {
        PublicParams::RSA(_) => {
            // Two numbers, each with two bytes of length; the exponent takes three bytes in practice.
            let bits = key.public_params().write_len().saturating_sub(7) * 8;
            (bits + 16 < RSA_BITS_MIN).then(|| format!("RSA of fewer than {RSA_BITS_MIN} bits"))
        }
        PublicParams::DSA(_) => Some("DSA".into()),
        PublicParams::Elgamal(_) => Some("ElGamal".into()),
        PublicParams::Unknown { .. } => Some("an algorithm we do not know".into()),
        _ => None,
    }
}

fn is_current(signature: &Signature, at: u32) -> bool {
    let made = created(signature);
    let lasts = signature
        .signature_expiration_time()
        .map_or(0, ::pgp::types::Duration::as_secs);
    is_strong(signature.hash_alg())
        && made <= at.saturating_add(CLOCK_SKEW_SECONDS_MAX)
        && (lasts == 0 || made.saturating_add(lasts) > at)
}

pub(super) fn created(signature: &Signature) -> u32 {
    signature
        .created()
        .map_or(0, ::pgp::types::Timestamp::as_secs)
}
