//! Encrypting and signing: `seal` makes a message of a stream.

use std::io::{self, Write};
use std::sync::Arc;

use ::pgp::composed::{ArmorOptions, Encryption, MessageBuilder, SubpacketConfig};
use ::pgp::crypto::hash::HashAlgorithm;
use ::pgp::crypto::sym::SymmetricKeyAlgorithm;
use ::pgp::errors::Error as LibError;
use ::pgp::packet::{Subpacket, SubpacketData};
use ::pgp::types::{CompressionAlgorithm, KeyDetails, KeyVersion, Password, SigningKey};
use bailee_model::{Chance, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};

use super::chance::Dice;
use super::validity::{self, seconds};
use super::{Passphrase, PgpError, PublicKey, SecretKey};
use crate::limit::{PIECE_BYTES, RECIPIENTS_MAX, SIGNATURES_MAX};
use crate::worker::{self, Meter, Source};
use crate::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Text for mail, a third larger.
    Armored,
    Binary,
}

/// A key that signs or opens, with what unlocks it.
#[derive(Debug, Clone)]
pub struct Signer {
    pub key: SecretKey,
    pub passphrase: Option<Passphrase>,
}

/// An order for a message: encrypted if there are recipients, signed if there are signers, or both.
#[derive(Debug)]
pub struct Seal {
    pub recipients: Vec<PublicKey>,
    pub signers: Vec<Signer>,
    pub encoding: Encoding,
    pub is_compressed: bool,
    pub now: Timestamp,
}

/// Makes a message of `input`. Holds one piece of it at a time, whatever its size.
pub async fn seal<R, W>(input: R, output: W, order: Seal, chance: Arc<dyn Chance>) -> Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    worker::transform(input, output, move |source, sink| {
        write(source, sink, &order, Dice(chance))
    })
    .await
}

fn write(source: Source, sink: &mut dyn Write, order: &Seal, mut dice: Dice) -> Result<()> {
    admit(order)?;
    let meter = source.meter();
    let at = seconds(order.now);
    let mut builder = MessageBuilder::from_reader("", source);
    builder
        .partial_chunk_size(PIECE_BYTES as u32)
        .map_err(PgpError::library)?;
    if order.is_compressed {
        builder.compression(CompressionAlgorithm::ZLIB);
    }
    for signer in &order.signers {
        let part = signer.part(at)?;
        let stamp = stamp(part, at).map_err(PgpError::library)?;
        builder.sign_with_subpackets(part, signer.password(), hash_of(part), stamp);
    }
    if order.recipients.is_empty() {
        return finish(builder, order.encoding, dice, (sink, &meter));
    }
    let mut builder = builder.seipd_v1(&mut dice, SymmetricKeyAlgorithm::AES256);
    for recipient in &order.recipients {
        let key = &recipient.inner;
        let primary = validity::primary(key, at);
        if let Some(fault) = primary.fault.clone() {
            return Err(fault.into());
        }
        let part = key
            .public_subkeys
            .iter()
            .filter(|part| validity::subkey(key, part, at).may_encrypt())
            .max_by_key(|part| part.created_at().as_secs());
        match part {
            Some(part) => builder.encrypt_to_key(&mut dice, part),
            None if primary.can_encrypt => builder.encrypt_to_key(&mut dice, key),
            None => return Err(why_not_encrypt(recipient, at).into()),
        }
        .map_err(PgpError::library)?;
    }
    finish(builder, order.encoding, dice, (sink, &meter))
}

fn admit(order: &Seal) -> Result<(), PgpError> {
    if order.recipients.is_empty() && order.signers.is_empty() {
        return Err(PgpError::NothingToDo);
    }
    if order.recipients.len() > RECIPIENTS_MAX {
        return Err(PgpError::TooMany {
            what: "recipients",
            limit: RECIPIENTS_MAX,
        });
    }
    if order.signers.len() > SIGNATURES_MAX {
        return Err(PgpError::TooMany {
            what: "signers",
            limit: SIGNATURES_MAX,
        });
    }
    Ok(())
}

/// If all encrypting parts are gone, the fault of the one that was there last is the cause.
fn why_not_encrypt(recipient: &PublicKey, at: u32) -> PgpError {
    let key = &recipient.inner;
    key.public_subkeys
        .iter()
        .map(|part| validity::subkey(key, part, at))
        .filter(|verdict| verdict.can_encrypt)
        .find_map(|verdict| verdict.fault)
        .unwrap_or_else(|| PgpError::CannotEncrypt(recipient.fingerprint()))
}

fn finish<E: Encryption>(
    builder: MessageBuilder<'_, Source, E>,
    encoding: Encoding,
    dice: Dice,
    (sink, meter): (&mut dyn Write, &Meter),
) -> Result<()> {
    match encoding {
        Encoding::Armored => builder.to_armored_writer(dice, ArmorOptions::default(), sink),
        Encoding::Binary => builder.to_writer(dice, sink),
    }
    .map_err(|error| stream_fault(error, meter))
}

/// Whether input, output or the library failed.
fn stream_fault(error: LibError, meter: &Meter) -> Error {
    let source = match error {
        LibError::IO { source, .. } => source,
        other if meter.is_abandoned() => io::Error::other(other.to_string()),
        other => return PgpError::library(other).into(),
    };
    if meter.is_abandoned() {
        Error::Abandoned
    } else if meter.has_failed() {
        Error::Read(source)
    } else {
        Error::Write(source)
    }
}

impl Signer {
    pub(super) fn password(&self) -> Password {
        self.passphrase
            .as_ref()
            .map_or_else(Password::empty, Passphrase::reveal)
    }

    /// The part of the key that signs now: the newest subkey for it, or the primary key.
    pub(super) fn part(&self, at: u32) -> Result<&dyn SigningKey, PgpError> {
        let public = self.key.inner.to_public_key();
        let primary = validity::primary(&public, at);
        if let Some(fault) = primary.fault.clone() {
            return Err(fault);
        }
        let empty = Passphrase::new("");
        self.key.check(self.passphrase.as_ref().unwrap_or(&empty))?;
        let may_sign = |fingerprint: &::pgp::types::Fingerprint| {
            public
                .public_subkeys
                .iter()
                .filter(|part| part.key.fingerprint() == *fingerprint)
                .any(|part| validity::subkey(&public, part, at).may_sign())
        };
        let subkey = self
            .key
            .inner
            .secret_subkeys
            .iter()
            .filter(|part| may_sign(&part.key.fingerprint()))
            .max_by_key(|part| part.key.created_at().as_secs());
        match subkey {
            Some(part) => Ok(&part.key),
            None if primary.can_sign => Ok(&self.key.inner.primary_key),
            None => Err(PgpError::CannotSign(self.key.fingerprint())),
        }
    }
}

/// What the key asks for, unless that is weak.
pub(super) fn hash_of(part: &dyn SigningKey) -> HashAlgorithm {
    let wished = part.hash_alg();
    if validity::is_strong(Some(wished)) {
        wished
    } else {
        HashAlgorithm::Sha256
    }
}

/// Who signs and when, by our clock.
pub(super) fn stamp(part: &dyn SigningKey, at: u32) -> ::pgp::errors::Result<SubpacketConfig> {
    let time = ::pgp::types::Timestamp::from_secs(at);
    let hashed = vec![
        Subpacket::regular(SubpacketData::IssuerFingerprint(part.fingerprint()))?,
        Subpacket::critical(SubpacketData::SignatureCreationTime(time))?,
    ];
    let mut unhashed = Vec::new();
    if part.version() <= KeyVersion::V4 {
        unhashed.push(Subpacket::regular(SubpacketData::IssuerKeyId(
            part.legacy_key_id(),
        ))?);
    }
    Ok(SubpacketConfig::UserDefined { hashed, unhashed })
}
