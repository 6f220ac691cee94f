//! Certificates for development: an authority of one's own and a certificate for this machine's loopback names.
//!
//! Both are made at the first start and used again afterwards. The authority can vouch for loopback names only (name
//! constraints), so a stolen development key is worth nothing elsewhere. Files, under `tls/` of the data folder:
//! `ca.pem`, `ca.key`, `server.pem`, `server.key`; keys are readable by their owner only.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bailee_model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::tls::{self, MinVersion, TlsOptions};

/// Life of the authority: a developer should trust it once.
const AUTHORITY_LIFE: Duration = Duration::from_hours(3650 * 24);
/// Life of the server's certificate: the most that clients accept.
const LEAF_LIFE: Duration = Duration::from_hours(397 * 24);
/// A certificate with less than this left is replaced.
const RENEW_BEFORE: Duration = Duration::from_hours(30 * 24);
/// Certificates begin a little in the past, for clients whose clock is behind.
const CLOCK_SLACK: Duration = Duration::from_hours(1);

const AUTHORITY_NAME: &str = "Bailee development authority";
const LOCALHOST: &str = "localhost";
const MODE_PRIVATE: u32 = 0o600;
const MODE_PUBLIC: u32 = 0o644;
const MODE_FOLDER: u32 = 0o700;

/// Where the certificates are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevCertificates {
    /// What clients must trust: `curl --cacert`.
    pub authority: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's private key.
    pub private_key: PathBuf,
    /// Whether the authority was made just now, so that clients have to be told about it.
    pub is_new_authority: bool,
}

/// Why there is no development certificate.
#[derive(Debug, thiserror::Error)]
pub enum DevCaError {
    /// A file or folder cannot be read or written.
    #[error("cannot keep development certificates in {}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A certificate cannot be made.
    #[error("cannot make a development certificate")]
    Make(#[from] rcgen::Error),
}

/// Makes what is missing, broken or about to expire below `data_folder`, and says where everything is.
pub fn ensure(data_folder: &Path, now: Timestamp) -> Result<DevCertificates, DevCaError> {
    let folder = data_folder.join("tls");
    let failed = |source| DevCaError::File {
        path: folder.clone(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(MODE_FOLDER)
        .create(&folder)
        .map_err(failed)?;
    let authority_key = folder.join("ca.key");
    let mut made = DevCertificates {
        authority: folder.join("ca.pem"),
        certificate: folder.join("server.pem"),
        private_key: folder.join("server.key"),
        is_new_authority: false,
    };
    let issuer = if let Some(issuer) = read_authority(&made.authority, &authority_key, now)? {
        if is_good_leaf(&made, now) {
            return Ok(made);
        }
        issuer
    } else {
        made.is_new_authority = true;
        make_authority(&made.authority, &authority_key, now)?
    };
    make_leaf(&made, &issuer, now)?;
    Ok(made)
}

/// The authority of an earlier start; `None` when there is none, or it is broken or too old to vouch for a leaf.
fn read_authority(
    certificate: &Path,
    private_key: &Path,
    now: Timestamp,
) -> Result<Option<Issuer<'static, KeyPair>>, DevCaError> {
    let (Some(certificate), Some(private_key)) = (read(certificate)?, read(private_key)?) else {
        return Ok(None);
    };
    let Ok(private_key) = KeyPair::from_pem(&private_key) else {
        return Ok(None);
    };
    let Ok(certificate) = CertificateDer::from_pem_slice(certificate.as_bytes()) else {
        return Ok(None);
    };
    let outlives_leaf =
        tls::expires_seconds(&certificate).is_some_and(|end| end > now.plus(LEAF_LIFE).seconds());
    let is_pair =
        tls::public_key(&certificate).is_some_and(|public| public == private_key.public_key_raw());
    if !outlives_leaf || !is_pair {
        return Ok(None);
    }
    Ok(Issuer::from_ca_cert_der(&certificate, private_key).ok())
}

/// Whether the certificate leads to the authority, names this machine, fits its key and has enough time left.
fn is_good_leaf(made: &DevCertificates, now: Timestamp) -> bool {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let options = TlsOptions {
        certificate: made.certificate.clone(),
        private_key: made.private_key.clone(),
        min_version: MinVersion::default(),
    };
    let Ok(pair) = tls::certified_key(&options, &provider) else {
        return false;
    };
    let Ok(authority) = CertificateDer::from_pem_file(&made.authority) else {
        return false;
    };
    let mut roots = RootCertStore::empty();
    if roots.add(authority).is_err() {
        return false;
    }
    let Ok(verifier) =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()
    else {
        return false;
    };
    let Some(leaf) = pair.cert.first() else {
        return false;
    };
    let then = u64::try_from(now.plus(RENEW_BEFORE).seconds()).unwrap_or(0);
    let then = UnixTime::since_unix_epoch(Duration::from_secs(then));
    names().iter().all(|name| {
        verifier
            .verify_server_cert(leaf, &[], name, &[], then)
            .is_ok()
    })
}

fn make_authority(
    certificate: &Path,
    private_key: &Path,
    now: Timestamp,
) -> Result<Issuer<'static, KeyPair>, DevCaError> {
    let mut params = lasting(now, AUTHORITY_LIFE);
    params
        .distinguished_name
        .push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let permitted_subtrees = vec![
        GeneralSubtree::DnsName(LOCALHOST.to_owned()),
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            8,
        )),
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
            IpAddr::V6(Ipv6Addr::LOCALHOST),
            128,
        )),
    ];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees,
        excluded_subtrees: Vec::new(),
    });
    let key = KeyPair::generate()?;
    let made = params.self_signed(&key)?;
    write(private_key, MODE_PRIVATE, &key.serialize_pem())?;
    write(certificate, MODE_PUBLIC, &made.pem())?;
    Ok(Issuer::new(params, key))
}

fn make_leaf(
    made: &DevCertificates,
    issuer: &Issuer<'static, KeyPair>,
    now: Timestamp,
) -> Result<(), DevCaError> {
    let mut params = lasting(now, LEAF_LIFE);
    params
        .distinguished_name
        .push(DnType::CommonName, LOCALHOST);
    params.subject_alt_names = vec![
        SanType::DnsName(LOCALHOST.try_into()?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    // A leaf that says CA:TRUE, or nothing, is refused by some clients.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    write(&made.private_key, MODE_PRIVATE, &key.serialize_pem())?;
    write(&made.certificate, MODE_PUBLIC, &certificate.pem())
}

fn names() -> [ServerName<'static>; 3] {
    [
        ServerName::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST).into()),
        ServerName::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST).into()),
        rustls_pki_types::DnsName::try_from(LOCALHOST).map_or(
            ServerName::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST).into()),
            ServerName::DnsName,
        ),
    ]
}

fn lasting(now: Timestamp, life: Duration) -> CertificateParams {
    let begin = now.minus(CLOCK_SLACK);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = epoch + begin.since(Timestamp::from_ms(0));
    // The last second counts as valid.
    params.not_after = epoch + begin.plus(life).since(Timestamp::from_ms(1000));
    params
}

fn read(path: &Path) -> Result<Option<String>, DevCaError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
            Ok(None)
        }
        Err(source) => Err(DevCaError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Replaces a file whole or not at all. A pair that a crash tore apart is noticed and made again at the next start.
fn write(path: &Path, mode: u32, text: &str) -> Result<(), DevCaError> {
    let failed = |source| DevCaError::File {
        path: path.to_owned(),
        source,
    };
    let draft = path.with_extension("new");
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&draft)
        .map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const NOW: Timestamp = Timestamp::from_ms(1_795_252_440_000);

    fn bytes(path: &Path) -> Vec<u8> {
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_second_start_uses_the_same_certificates() {
        let folder = TempDir::new().unwrap();
        let first = ensure(folder.path(), NOW).unwrap();
        assert!(first.is_new_authority);
        let before = (
            bytes(&first.authority),
            bytes(&first.certificate),
            bytes(&first.private_key),
        );
        let second = ensure(folder.path(), NOW.plus(DAY)).unwrap();
        assert!(!second.is_new_authority);
        assert_eq!(
            before,
            (
                bytes(&second.authority),
                bytes(&second.certificate),
                bytes(&second.private_key)
            )
        );
        for key_file in [&first.private_key, &folder.path().join("tls/ca.key")] {
            assert_eq!(
                std::fs::metadata(key_file).unwrap().permissions().mode() & 0o7777,
                MODE_PRIVATE
            );
        }
    }

    #[test]
    fn a_leaf_about_to_expire_is_replaced_under_the_same_authority() {
        let folder = TempDir::new().unwrap();
        let first = ensure(folder.path(), NOW).unwrap();
        let (authority, leaf) = (bytes(&first.authority), bytes(&first.certificate));
        let end = tls::expires_seconds(&CertificateDer::from_pem_slice(&leaf).unwrap()).unwrap();
        assert_eq!(end, NOW.minus(CLOCK_SLACK).plus(LEAF_LIFE).seconds() - 1);

        let just_before = Timestamp::from_ms(end * 1000).minus(RENEW_BEFORE);
        ensure(folder.path(), just_before).unwrap();
        assert_eq!(bytes(&first.certificate), leaf);
        let later = ensure(folder.path(), just_before.plus(Duration::from_secs(1))).unwrap();
        assert!(!later.is_new_authority);
        assert_ne!(bytes(&later.certificate), leaf);
        assert_eq!(bytes(&later.authority), authority);
        assert!(is_good_leaf(&later, just_before.plus(DAY)));
    }

    #[test]
    fn what_is_missing_or_torn_is_made_again() {
        let folder = TempDir::new().unwrap();
        let made = ensure(folder.path(), NOW).unwrap();
        std::fs::write(
            &made.private_key,
            KeyPair::generate().unwrap().serialize_pem(),
        )
        .unwrap();
        assert!(!is_good_leaf(&made, NOW));
        assert!(!ensure(folder.path(), NOW).unwrap().is_new_authority);
        assert!(is_good_leaf(&made, NOW));

        let authority = bytes(&made.authority);
        std::fs::write(
            folder.path().join("tls/ca.key"),
            KeyPair::generate().unwrap().serialize_pem(),
        )
        .unwrap();
        assert!(ensure(folder.path(), NOW).unwrap().is_new_authority);
        assert_ne!(bytes(&made.authority), authority);
        assert!(is_good_leaf(&made, NOW));

        std::fs::remove_file(&made.certificate).unwrap();
        std::fs::write(folder.path().join("tls/server.new"), "left by a crash").unwrap();
        ensure(folder.path(), NOW).unwrap();
        assert!(is_good_leaf(&made, NOW));
    }
}
