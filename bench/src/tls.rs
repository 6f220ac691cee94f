//! TLS for both sides: TLS 1.3 alone, aws-lc-rs, and no resumption, so that a new connection always costs a whole handshake.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A peer that says nothing for so long has failed the run.
const SOCKET_TIMEOUT: Duration = Duration::from_mins(2);
/// rustls asks for 4 KiB at a time; this many bytes come from the kernel at once.
const READ_BYTES: usize = 128 * 1024;

/// A certificate with its private key, as files.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate, which is its own authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub private_key: PathBuf,
}

/// Makes a pair for this machine's loopback names in `folder`.
pub fn write_pair(folder: &Path) -> Result<Pair> {
    let pair = Pair {
        certificate: folder.join("server.pem"),
        private_key: folder.join("server.key"),
    };
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names)?;
    std::fs::write(&pair.certificate, made.cert.pem())?;
    std::fs::write(&pair.private_key, made.signing_key.serialize_pem())?;
    Ok(pair)
}

/// What the floor answers with.
pub fn server(pair: &Pair) -> Result<Arc<ServerConfig>> {
    let chain = vec![CertificateDer::from_pem_file(&pair.certificate)?];
    let private_key = PrivateKeyDer::from_pem_file(&pair.private_key)?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, private_key)?;
    Ok(Arc::new(config))
}

/// A client that trusts the certificates in one file.
pub fn client(authority: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority)
        .with_context(|| format!("cannot read {}", authority.display()))?
    {
        roots.add(certificate?)?;
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A TCP connection that reads ahead.
#[derive(Debug)]
pub struct Wire(BufReader<TcpStream>);

impl Wire {
    /// Connects to a server on the loopback.
    pub fn connect(address: SocketAddr) -> std::io::Result<Self> {
        Self::of(TcpStream::connect(address)?)
    }

    /// Wraps an accepted connection.
    pub fn of(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SOCKET_TIMEOUT))?;
        stream.set_write_timeout(Some(SOCKET_TIMEOUT))?;
        Ok(Self(BufReader::with_capacity(READ_BYTES, stream)))
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.get_mut().write(bytes)
    }

    fn write_vectored(&mut self, bytes: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
        self.0.get_mut().write_vectored(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
