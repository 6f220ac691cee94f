//! Signatures in files of their own.

use std::io::{self, Cursor, Read, Write};

use ::pgp::composed::{ArmorOptions, Deserializable, DetachedSignature, SubpacketConfig};
use ::pgp::packet::{Signature, SignatureConfig, SignatureHasher, SignatureType};
use ::pgp::ser::Serialize as _;
use ::pgp::types::{KeyVersion, SigningKey, VerifyingKey};
use bailee_model::Timestamp;
use tokio::io::AsyncRead;

use super::signature::{judge, require};
use super::validity::seconds;
use super::write::{hash_of, stamp};
use super::{Encoding, PgpError, PublicKey, SignatureReport, Signer};
use crate::limit::{PIECE_BYTES, SIGNATURE_FILE_BYTES_MAX, SIGNATURES_MAX};
use crate::worker::{self, Source, read_fault};
use crate::{Error, Result};

/// An order for a detached signature.
#[derive(Debug)]
pub struct SignDetached {
    pub signer: Signer,
    pub encoding: Encoding,
    pub now: Timestamp,
}

/// Signs what `input` holds; the answer is the file of the signature.
pub async fn sign_detached<R>(input: R, order: SignDetached) -> Result<Vec<u8>>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    worker::inspect(input, move |source| sign(source, &order)).await
}

/// Which signatures of `signature_file` hold for what `input` holds. One must be good, and none by a known signer bad.
pub async fn verify_detached<R>(
    input: R,
    signature_file: Vec<u8>,
    signers: Vec<PublicKey>,
    now: Timestamp,
) -> Result<Vec<SignatureReport>>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    worker::inspect(input, move |source| {
        let signatures = parse(&signature_file)?;
        let digests = digests(source, &signatures)?;
        let mut reports = Vec::new();
        for (signature, digest) in signatures.iter().zip(&digests) {
            let check = |key: &dyn VerifyingKey| is_right(signature, digest.as_ref(), key);
            reports.push(judge(signature, &signers, seconds(now), &check)?);
        }
        require(&reports)?;
        Ok(reports)
    })
    .await
}

fn sign(source: Source, order: &SignDetached) -> Result<Vec<u8>> {
    let at = seconds(order.now);
    let part = order.signer.part(at)?;
    let mut hasher = hasher(part, at).map_err(PgpError::library)?;
    each_piece(source, &mut |piece| {
        hasher.write_all(piece).map_err(Error::Write)
    })?;
    let signature = hasher
        .sign(part, &order.signer.password())
        .map_err(PgpError::library)?;
    let signature = DetachedSignature::new(signature);
    let bytes = match order.encoding {
        Encoding::Armored => signature.to_armored_bytes(ArmorOptions::default()),
        Encoding::Binary => signature.to_bytes(),
    };
    Ok(bytes.map_err(PgpError::library)?)
}

fn hasher(part: &dyn SigningKey, at: u32) -> ::pgp::errors::Result<SignatureHasher> {
    if part.version() != KeyVersion::V4 {
        return Err(::pgp::errors::Error::from(
            "only keys of version 4 make detached signatures".to_owned(),
        ));
    }
    let mut config = SignatureConfig::v4(SignatureType::Binary, part.algorithm(), hash_of(part));
    if let SubpacketConfig::UserDefined { hashed, unhashed } = stamp(part, at)? {
        config.hashed_subpackets = hashed;
        config.unhashed_subpackets = unhashed;
    }
    config.into_hasher()
}

fn parse(file: &[u8]) -> Result<Vec<Signature>, PgpError> {
    if file.len() > SIGNATURE_FILE_BYTES_MAX {
        return Err(PgpError::TooMany {
            what: "bytes of a file of signatures",
            limit: SIGNATURE_FILE_BYTES_MAX,
        });
    }
    let refuse = |error: ::pgp::errors::Error| PgpError::NotASignature(error.to_string());
    let (found, _) =
        DetachedSignature::from_reader_many(Cursor::new(file.to_vec())).map_err(refuse)?;
    let mut signatures = Vec::new();
    for one in found {
        if signatures.len() == SIGNATURES_MAX {
            return Err(PgpError::TooMany {
                what: "signatures",
                limit: SIGNATURES_MAX,
            });
        }
        signatures.push(one.map_err(refuse)?.signature);
    }
    if signatures.is_empty() {
        return Err(PgpError::NotASignature("the file holds none".into()));
    }
    Ok(signatures)
}

/// What each signature would have had to sign; nothing for those of a kind we do not judge.
fn digests(source: Source, signatures: &[Signature]) -> Result<Vec<Option<Vec<u8>>>> {
    let mut hashers: Vec<_> = signatures
        .iter()
        .map(|signature| signature.config()?.hash_alg.new_hasher().ok())
        .collect();
    let is_text = |signature: &Signature| signature.typ() == Some(SignatureType::Text);
    let mut lines = Lines::default();
    let has_text = signatures.iter().any(is_text);
    each_piece(source, &mut |piece| {
        let text = if has_text {
            lines.end_by_two(piece)
        } else {
            Vec::new()
        };
        for (signature, hasher) in signatures.iter().zip(&mut hashers) {
            if let Some(hasher) = hasher {
                hasher.update(if is_text(signature) { &text } else { piece });
            }
        }
        Ok(())
    })?;
    let digests = signatures.iter().zip(hashers).map(|(signature, hasher)| {
        let mut hasher = hasher?;
        let config = signature.config()?;
        let length = config.hash_signature_data(&mut hasher).ok()?;
        hasher.update(&config.trailer(length).ok()?);
        Some(hasher.finalize().to_vec())
    });
    Ok(digests.collect())
}

/// Signatures of text are made over lines that end by CR and LF, whatever the file has.
#[derive(Default)]
struct Lines {
    is_after_cr: bool,
}

impl Lines {
    fn end_by_two(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(piece.len() + piece.len() / 8);
        for byte in piece {
            if *byte == b'\n' && !self.is_after_cr {
                text.push(b'\r');
            }
            text.push(*byte);
            self.is_after_cr = *byte == b'\r';
        }
        text
    }
}

fn is_right(signature: &Signature, digest: Option<&Vec<u8>>, key: &dyn VerifyingKey) -> bool {
    let (Some(digest), Some(hash), Some(bytes)) =
        (digest, signature.hash_alg(), signature.signature())
    else {
        return false;
    };
    let begins_so = signature
        .signed_hash_value()
        .is_some_and(|start| digest.starts_with(&start));
    begins_so && key.verify(hash, digest, bytes).is_ok()
}

fn each_piece(mut source: Source, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let meter = source.meter();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => take(piece.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(read_fault(error, &meter, &Error::Read)),
        }
    }
}
