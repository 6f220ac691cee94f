//! Whether a signature holds, and by whom.

use ::pgp::packet::{Signature, SignatureType, SubpacketData};
use ::pgp::types::{KeyDetails, VerifyingKey};
use bailee_model::Timestamp;
use serde::Serialize;

use super::key::timestamp;
use super::validity::{self, created, is_strong};
use super::{PgpError, PublicKey};
use crate::limit::CLOCK_SKEW_SECONDS_MAX;

/// A signature that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignatureReport {
    /// The fingerprint of the signer's primary key, or what the signature says of its key if that is not among ours.
    pub key: String,
    pub user_id: Option<String>,
    pub created: Timestamp,
    pub hash: String,
    pub verdict: Verdict,
}

/// A signature by a key we know that does not hold is an error and no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Good,
    UnknownSigner,
}

/// Compares a signature with what was hashed, by the key given.
pub(super) type Check<'c> = &'c dyn Fn(&dyn VerifyingKey) -> bool;

pub(super) fn judge(
    signature: &Signature,
    signers: &[PublicKey],
    at: u32,
    check: Check<'_>,
) -> Result<SignatureReport, PgpError> {
    let mut report = SignatureReport {
        key: issuer(signature),
        user_id: None,
        created: timestamp(created(signature)),
        hash: signature
            .hash_alg()
            .map_or_else(|| "unknown".into(), |hash| hash.to_string()),
        verdict: Verdict::UnknownSigner,
    };
    for signer in signers {
        let key = &signer.inner;
        if is_by(signature, &key.primary_key) {
            let verdict = validity::primary(key, at);
            admit(signature, &report, at)?;
            hold(&verdict, &report, check(&key.primary_key))?;
        } else if let Some(part) = key
            .public_subkeys
            .iter()
            .find(|part| is_by(signature, &part.key))
        {
            admit(signature, &report, at)?;
            if let Some(fault) = validity::primary(key, at).fault {
                return Err(fault);
            }
            let verdict = validity::subkey(key, part, at);
            hold(&verdict, &report, check(&part.key))?;
        } else {
            continue;
        }
        report.key = signer.fingerprint();
        report.user_id = validity::user_ids(key, at).into_iter().next();
        report.verdict = Verdict::Good;
        return Ok(report);
    }
    Ok(report)
}

/// At least one good signature, if signers are named.
pub(super) fn require(reports: &[SignatureReport]) -> Result<(), PgpError> {
    if reports.iter().any(|one| one.verdict == Verdict::Good) {
        return Ok(());
    }
    match reports.first() {
        None => Err(PgpError::NotSigned),
        Some(one) => Err(PgpError::UnknownSigner(one.key.clone())),
    }
}

fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint();
    let id = signature.issuer_key_id();
    match (fingerprint.first(), id.first()) {
        (Some(fingerprint), _) => format!("{fingerprint:X}"),
        (None, Some(id)) => hex::encode_upper(id.as_ref()),
        (None, None) => "nobody named".into(),
    }
}

fn is_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        signature.issuer_key_id().contains(&&key.legacy_key_id())
    } else {
        fingerprints.contains(&&key.fingerprint())
    }
}

/// What must be so before any arithmetic.
fn admit(signature: &Signature, report: &SignatureReport, at: u32) -> Result<(), PgpError> {
    let bad = |why: &str| PgpError::BadSignature {
        key: report.key.clone(),
        why: why.into(),
    };
    if !is_strong(signature.hash_alg()) {
        return Err(PgpError::WeakAlgorithm(format!(
            "a signature by {}",
            report.hash
        )));
    }
    let is_of_content = matches!(
        signature.typ(),
        Some(SignatureType::Binary | SignatureType::Text)
    );
    if !is_of_content {
        return Err(bad("it is made for something other than content"));
    }
    let made = created(signature);
    if made == 0 {
        return Err(bad("it does not say when it was made"));
    }
    if made > at.saturating_add(CLOCK_SKEW_SECONDS_MAX) {
        return Err(bad("it was made in the future; compare the clocks"));
    }
    let lasts = signature
        .signature_expiration_time()
        .map_or(0, ::pgp::types::Duration::as_secs);
    if lasts > 0 && made.saturating_add(lasts) <= at {
        return Err(bad("it has expired"));
    }
    let demands = signature.config().is_some_and(|config| {
        config.hashed_subpackets().any(|part| {
            part.is_critical
                && matches!(
                    part.data,
                    SubpacketData::Other(..)
                        | SubpacketData::Experimental(..)
                        | SubpacketData::Notation(_)
                )
        })
    });
    if demands {
        return Err(bad("it demands something that we do not know"));
    }
    Ok(())
}

fn hold(
    verdict: &validity::Verdict,
    report: &SignatureReport,
    is_right: bool,
) -> Result<(), PgpError> {
    if let Some(fault) = verdict.fault.clone() {
        return Err(fault);
    }
    if !verdict.can_sign {
        return Err(PgpError::CannotSign(report.key.clone()));
    }
    if !is_right {
        return Err(PgpError::BadSignature {
            key: report.key.clone(),
            why: "the content is not what was signed".into(),
        });
    }
    Ok(())
}
