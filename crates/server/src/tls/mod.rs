//! TLS for the listener: certificate and key from files, reloaded without dropping a connection.
//!
//! TLS 1.3 alone unless 1.2 is asked for; rustls offers no 1.2 suite without ECDHE and AEAD. The provider is named
//! everywhere, so nothing depends on which one the process installed first.

mod files;

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};

pub(crate) use files::{certified_key, expires_seconds, public_key};

/// Name of HTTP/2 in ALPN.
pub const ALPN_HTTP2: &[u8] = b"h2";
/// Name of HTTP/1.1 in ALPN.
pub const ALPN_HTTP1: &[u8] = b"http/1.1";

/// The oldest protocol version that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MinVersion {
    /// TLS 1.2 and 1.3.
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3 only.
    #[default]
    #[serde(rename = "1.3")]
    V1_3,
}

/// Where the certificate is and how old a protocol may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// PEM: the certificate of this server first, then those that lead to its root.
    pub certificate: PathBuf,
    /// PEM: the private key (PKCS #8, PKCS #1 or SEC 1). Nobody but its owner and group may read the file.
    pub private_key: PathBuf,
    /// The oldest protocol version.
    pub min_version: MinVersion,
}

/// Why a certificate is not used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Others could read the private key.
    #[error("{} can be read by everybody (mode {mode:04o}); allow its owner only: chmod 600", path.display())]
    OpenKey {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file has no certificate or key in it, or a broken one.
    #[error("{} holds no usable {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The key is not the one of the certificate, or of a kind that TLS does not know.
    #[error("{} and {} do not belong together", certificate.display(), private_key.display())]
    Pair {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        private_key: PathBuf,
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },
    /// The library refused its settings.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// Makes aws-lc-rs the provider of code that does not name one. Call it first in `main`; calling it again is harmless.
pub fn install_crypto() {
    // An error says only that one is installed already.
    let _already = aws_lc_rs::default_provider().install_default();
}

/// The TLS side of a listener. Shared; [`Self::reload`] changes what new handshakes see.
pub struct ServerTls {
    options: TlsOptions,
    provider: Arc<CryptoProvider>,
    certificate: Arc<Current>,
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// Reads the files and sets TLS up.
    pub fn load(options: TlsOptions) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificate = Arc::new(Current(ArcSwap::from_pointee(certified_key(
            &options, &provider,
        )?)));
        let versions: &[&rustls::SupportedProtocolVersion] = match options.min_version {
            MinVersion::V1_2 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            MinVersion::V1_3 => &[&rustls::version::TLS13],
        };
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Current>::clone(&certificate);
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
        // Tickets keep resumption stateless. Early data stays off: it could be replayed.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.max_early_data_size = 0;
        Ok(Self {
            options,
            provider,
            certificate,
            config: Arc::new(config),
        })
    }

    /// Reads the files again. On an error the certificate in use stays; live connections are never touched.
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = certified_key(&self.options, &self.provider)?;
        self.certificate.0.store(Arc::new(fresh));
        Ok(())
    }

    /// The settings for a handshake.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The last second in which the certificate in use is valid, in seconds since 1970.
    pub fn expires_seconds(&self) -> Option<i64> {
        self.certificate
            .0
            .load()
            .cert
            .first()
            .and_then(expires_seconds)
    }
}

/// The certificate in use, whatever name the client asked for.
#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}
