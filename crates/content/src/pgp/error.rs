//! What can be wrong with keys, messages and signatures.

use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PgpError {
    #[error("this is no OpenPGP key: {0}")]
    NotAKey(String),
    #[error("this is no OpenPGP message: {0}")]
    NotAMessage(String),
    #[error("this is no OpenPGP signature: {0}")]
    NotASignature(String),
    #[error("{what}: at most {limit} are taken")]
    TooMany { what: &'static str, limit: usize },
    #[error("the key {0} has expired")]
    Expired(String),
    #[error("the key {0} was revoked by its owner")]
    Revoked(String),
    #[error("the key {0} is not valid yet; compare the clocks")]
    NotYetValid(String),
    #[error("the key {key} is too weak: {why}")]
    WeakKey { key: String, why: String },
    #[error("the key {0} has no part that may encrypt")]
    CannotEncrypt(String),
    #[error("the key {0} has no part that may sign, or its secret is not in the file")]
    CannotSign(String),
    #[error("the passphrase does not open the key {0}")]
    WrongPassphrase(String),
    #[error("no recipient and no signer is named")]
    NothingToDo,
    #[error("the message is not encrypted")]
    NotEncrypted,
    #[error("the message is encrypted for {0}, and none of our keys is among them")]
    NotForUs(String),
    #[error(
        "the message is encrypted without integrity protection; ask the sender for current software"
    )]
    Unprotected,
    #[error("the message uses {0}, which is too weak")]
    WeakAlgorithm(String),
    #[error("the message is damaged or was changed on its way")]
    Damaged,
    #[error("the message holds layers that are not taken: {0}")]
    Layers(String),
    #[error("the message is not signed")]
    NotSigned,
    #[error("the message is signed by {0}, which is none of the signers expected")]
    UnknownSigner(String),
    #[error("the signature by {key} does not hold: {why}")]
    BadSignature { key: String, why: String },
    #[error("{0}")]
    Library(String),
}

impl PgpError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAKey(_) => "pgp_not_a_key",
            Self::NotAMessage(_) => "pgp_not_a_message",
            Self::NotASignature(_) => "pgp_not_a_signature",
            Self::TooMany { .. } => "pgp_too_many",
            Self::Expired(_) => "pgp_key_expired",
            Self::Revoked(_) => "pgp_key_revoked",
            Self::NotYetValid(_) => "pgp_key_not_yet_valid",
            Self::WeakKey { .. } => "pgp_key_weak",
            Self::CannotEncrypt(_) => "pgp_key_cannot_encrypt",
            Self::CannotSign(_) => "pgp_key_cannot_sign",
            Self::WrongPassphrase(_) => "pgp_wrong_passphrase",
            Self::NothingToDo => "pgp_nothing_to_do",
            Self::NotEncrypted => "pgp_not_encrypted",
            Self::NotForUs(_) => "pgp_not_for_us",
            Self::Unprotected => "pgp_unprotected",
            Self::WeakAlgorithm(_) => "pgp_weak_algorithm",
            Self::Damaged => "pgp_damaged",
            Self::Layers(_) => "pgp_layers",
            Self::NotSigned => "pgp_not_signed",
            Self::UnknownSigner(_) => "pgp_unknown_signer",
            Self::BadSignature { .. } => "pgp_bad_signature",
            Self::Library(_) => "pgp_failed",
        }
    }

    /// A refusal of the library that is no fault of a message.
    pub(super) fn library(error: ::pgp::errors::Error) -> Self {
        Self::Library(error.to_string())
    }
}
