use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::{TlsError, TlsOptions};

/// The most that a certificate or key file may hold.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

const MODE_OTHERS: u32 = 0o007;
const MODE_GROUP: u32 = 0o070;
const MODE_BITS: u32 = 0o7777;

/// Reads a pair and makes sure that it is one.
pub(crate) fn certified_key(
    options: &TlsOptions,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = chain(&options.certificate)?;
    let key = private_key(&options.private_key)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| TlsError::Pair {
        certificate: options.certificate.clone(),
        private_key: options.private_key.clone(),
        source,
    })
}

/// The last second of a certificate, in seconds since 1970; `None` when it cannot be read.
pub(crate) fn expires_seconds(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

/// The public key of a certificate as bare bits; `None` when it cannot be read.
pub(crate) fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(parsed.public_key().subject_public_key.data.to_vec())
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content = || TlsError::Content {
        path: path.to_owned(),
        what: "certificate",
    };
    let text = read(open(path)?, path)?;
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| content())?;
    // rustls would take any bytes as a leaf and fail in each handshake.
    chain
        .first()
        .and_then(expires_seconds)
        .ok_or_else(content)?;
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let file = open(path)?;
    // The mode of the open file: what is judged is what is read.
    let mode = file
        .metadata()
        .map_err(|source| TlsError::Read {
            path: path.to_owned(),
            source,
        })?
        .mode()
        & MODE_BITS;
    if mode & MODE_OTHERS != 0 {
        return Err(TlsError::OpenKey {
            path: path.to_owned(),
            mode,
        });
    }
    if mode & MODE_GROUP != 0 {
        tracing::warn!(path = %path.display(), mode = format!("{mode:04o}"), "the group may read the private key");
    }
    let text = read(file, path)?;
    // The library's error could quote the file.
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| TlsError::Content {
        path: path.to_owned(),
        what: "private key",
    })
}

fn open(path: &Path) -> Result<File, TlsError> {
    File::open(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

fn read(file: File, path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|source| TlsError::Read {
            path: path.to_owned(),
            source,
        })?;
    Ok(bytes)
}
