//! Decrypting and verifying: `open` takes a message apart while it streams.

use std::io::{self, BufRead, BufReader, Write};

use ::pgp::composed::{DecryptionOptions, Edata, Esk, Message, PlainSessionKey, TheRing};
use ::pgp::crypto::sym::SymmetricKeyAlgorithm;
use ::pgp::types::{
    DecryptionKey, EskType, Password, PkeskBytes, PkeskVersion, Seipdv1ReadMode, VerifyingKey,
};
use bailee_model::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};

use super::signature::{judge, require};
use super::validity::seconds;
use super::{Passphrase, PgpError, PublicKey, SignatureReport, Signer};
use crate::limit::{
    MESSAGE_LAYERS_MAX, MESSAGE_SILENT_BYTES_MAX, PIECE_BYTES, RATIO_MAX, RECIPIENTS_MAX,
    SIGNATURES_MAX,
};
use crate::worker::{self, Allowance, Meter, Source, pump, read_fault};
use crate::{Error, Result};

/// An order to open a message, armored or binary, whatever its layers.
#[derive(Debug)]
pub struct Open {
    /// Keys that may open it.
    pub keys: Vec<Signer>,
    /// Keys whose signatures count.
    pub signers: Vec<PublicKey>,
    pub must_be_encrypted: bool,
    /// Refuses what bears no good signature by one of the signers.
    pub must_be_signed: bool,
    pub content_bytes_max: u64,
    pub now: Timestamp,
}

/// What a message was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub was_encrypted: bool,
    pub was_compressed: bool,
    pub signatures: Vec<SignatureReport>,
    pub content_bytes: u64,
}

/// Writes the content of the message in `input`.
///
/// **Until this returns `Ok`, what was written is unproven**: the integrity check and the signatures stand at the end. Whoever
/// calls writes where nobody reads, and erases it on an error. A signature by a known signer that does not hold is an error even
/// where no signature is asked for; one by an unknown signer is only reported then.
pub async fn open<R, W>(input: R, output: W, order: Open) -> Result<Opened>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    worker::transform(input, output, move |source, sink| {
        read(source, sink, &order)
    })
    .await
}

fn read(source: Source, sink: &mut dyn Write, order: &Open) -> Result<Opened> {
    for key in &order.keys {
        let empty = Passphrase::new("");
        key.key.check(key.passphrase.as_ref().unwrap_or(&empty))?;
    }
    let meter = source.meter();
    meter.limit_silence(MESSAGE_SILENT_BYTES_MAX);
    let mut opened = Opened {
        was_encrypted: false,
        was_compressed: false,
        signatures: Vec::new(),
        content_bytes: 0,
    };
    let mut message = unwrap(parse(source, &meter)?, order, &mut opened, &meter)?;
    if order.must_be_encrypted && !opened.was_encrypted {
        return Err(PgpError::NotEncrypted.into());
    }
    if order.must_be_signed && !message.is_signed() {
        return Err(PgpError::NotSigned.into());
    }
    let allowance = Allowance {
        bytes_max: order.content_bytes_max,
        ratio_max: RATIO_MAX,
    };
    let damaged = |_: io::Error| PgpError::Damaged.into();
    opened.content_bytes = pump(&mut message, sink, &meter, allowance, &damaged)?;
    opened.signatures = signatures(&message, order)?;
    if order.must_be_signed {
        require(&opened.signatures)?;
    }
    Ok(opened)
}

fn parse(source: Source, meter: &Meter) -> Result<Message<'static>> {
    let mut reader = BufReader::with_capacity(PIECE_BYTES, source);
    let not_a_message = |why: String| Error::from(PgpError::NotAMessage(why));
    let first = reader
        .fill_buf()
        .map_err(|error| read_fault(error, meter, &Error::Read))?
        .first()
        .copied();
    // Every binary packet begins with a set bit, no letter of armor does.
    let parsed = match first {
        None => return Err(not_a_message("the file is empty".into())),
        Some(byte) if byte & 0x80 == 0 => Message::from_armor(reader).map(|(message, _)| message),
        Some(_) => Message::from_bytes(reader),
    };
    parsed.map_err(|error| {
        let why = error.to_string();
        read_fault(io::Error::other(why.clone()), meter, &|_| {
            not_a_message(why.clone())
        })
    })
}

/// Peels layers off until content remains.
fn unwrap<'m>(
    mut message: Message<'m>,
    order: &Open,
    opened: &mut Opened,
    meter: &Meter,
) -> Result<Message<'m>> {
    let layers = |why: &str| Err(PgpError::Layers(why.into()).into());
    for _ in 0..MESSAGE_LAYERS_MAX {
        message = match message {
            Message::Encrypted { .. } if opened.was_encrypted => {
                return layers("encryption within encryption");
            }
            Message::Encrypted { .. } => {
                opened.was_encrypted = true;
                decrypt(message, order, meter)?
            }
            Message::Compressed { .. } if opened.was_compressed => {
                return layers("compression within compression");
            }
            Message::Compressed { .. } => {
                opened.was_compressed = true;
                decompress(message, meter)?
            }
            Message::Literal { .. } => return Ok(message),
            Message::Signed { ref reader, .. } => {
                if reader.num_signatures() > SIGNATURES_MAX {
                    return Err(PgpError::TooMany {
                        what: "signatures",
                        limit: SIGNATURES_MAX,
                    }
                    .into());
                }
                match reader.get_ref() {
                    Message::Literal { .. } => return Ok(message),
                    Message::Compressed { .. } if !opened.was_compressed => {
                        opened.was_compressed = true;
                        decompress(message, meter)?
                    }
                    _ => return layers("something other than content is signed"),
                }
            }
        };
    }
    layers("too many")
}

fn decompress<'m>(message: Message<'m>, meter: &Meter) -> Result<Message<'m>> {
    message.decompress().map_err(|_| {
        read_fault(io::Error::other("broke off"), meter, &|_| {
            PgpError::Damaged.into()
        })
    })
}

fn decrypt<'m>(message: Message<'m>, order: &Open, meter: &Meter) -> Result<Message<'m>> {
    let Message::Encrypted { esk, edata, .. } = &message else {
        return Err(PgpError::NotEncrypted.into());
    };
    if matches!(edata, Edata::SymEncryptedData { .. }) {
        return Err(PgpError::Unprotected.into());
    }
    if esk.len() > RECIPIENTS_MAX {
        return Err(PgpError::TooMany {
            what: "recipients",
            limit: RECIPIENTS_MAX,
        }
        .into());
    }
    let session_key =
        session_key(esk, &order.keys).ok_or_else(|| PgpError::NotForUs(recipients(esk)))?;
    if let PlainSessionKey::V3_4 { sym_alg, .. } = &session_key
        && !is_strong_cipher(*sym_alg)
    {
        return Err(PgpError::WeakAlgorithm(format!("the cipher {sym_alg:?}")).into());
    }
    let ring = TheRing {
        session_keys: vec![session_key],
        // The other mode holds up to a gigabyte in memory to check it first.
        decrypt_options: DecryptionOptions::new()
            .enable_gnupg_aead()
            .set_seipdv1_read_mode(Seipdv1ReadMode::Streaming),
        ..TheRing::default()
    };
    match message.decrypt_the_ring(ring, true) {
        Ok((message, _)) => Ok(message),
        Err(_) => Err(read_fault(io::Error::other("broke off"), meter, &|_| {
            PgpError::Damaged.into()
        })),
    }
}

/// The key of the message, by whichever of our keys opens it. Why one did not is not told: the difference would help guessing.
fn session_key(esk: &[Esk], keys: &[Signer]) -> Option<PlainSessionKey> {
    for packet in esk {
        let Esk::PublicKeyEncryptedSessionKey(packet) = packet else {
            continue;
        };
        let kind = match packet.version() {
            PkeskVersion::V3 => EskType::V3_4,
            PkeskVersion::V6 => EskType::V6,
            PkeskVersion::Other(_) => continue,
        };
        let Ok(values) = packet.values() else {
            continue;
        };
        for key in keys {
            let password = key.password();
            let secret = &key.key.inner;
            if packet.match_identity(secret.primary_key.public_key())
                && let Some(found) = attempt(&secret.primary_key, &password, values, kind)
            {
                return Some(found);
            }
            for part in &secret.secret_subkeys {
                if packet.match_identity(part.key.public_key())
                    && let Some(found) = attempt(&part.key, &password, values, kind)
                {
                    return Some(found);
                }
            }
        }
    }
    None
}

fn attempt(
    key: &impl DecryptionKey,
    password: &Password,
    values: &PkeskBytes,
    kind: EskType,
) -> Option<PlainSessionKey> {
    key.decrypt(password, values, kind).ok()?.ok()
}

fn is_strong_cipher(cipher: SymmetricKeyAlgorithm) -> bool {
    matches!(
        cipher,
        SymmetricKeyAlgorithm::AES128
            | SymmetricKeyAlgorithm::AES192
            | SymmetricKeyAlgorithm::AES256
            | SymmetricKeyAlgorithm::Twofish
            | SymmetricKeyAlgorithm::Camellia128
            | SymmetricKeyAlgorithm::Camellia192
            | SymmetricKeyAlgorithm::Camellia256
    )
}

fn recipients(esk: &[Esk]) -> String {
    let names: Vec<String> = esk
        .iter()
        .map(|packet| match packet {
            Esk::PublicKeyEncryptedSessionKey(packet) => match packet.id() {
                Ok(id) if !id.is_wildcard() => hex::encode_upper(id.as_ref()),
                _ => match packet.fingerprint() {
                    Ok(Some(fingerprint)) => format!("{fingerprint:X}"),
                    _ => "somebody not named".into(),
                },
            },
            Esk::SymKeyEncryptedSessionKey(_) => "those who know its password".into(),
        })
        .collect();
    if names.is_empty() {
        "nobody".into()
    } else {
        names.join(", ")
    }
}

fn signatures(message: &Message<'_>, order: &Open) -> Result<Vec<SignatureReport>> {
    let Message::Signed { reader, .. } = message else {
        return Ok(Vec::new());
    };
    let at = seconds(order.now);
    let mut reports = Vec::new();
    for index in 0..reader.num_signatures() {
        let signature = reader.signature(index).ok_or(PgpError::Damaged)?;
        let check = |key: &dyn VerifyingKey| message.verify_nested_explicit(index, key).is_ok();
        reports.push(judge(signature, &order.signers, at, &check)?);
    }
    Ok(reports)
}
