//! A listener on loopback with certificates of its own, and clients for it.

use std::error::Error;
use std::fs::Permissions;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use axum::{Extension, Router};
use bailee_server::listen::{ConnectionFacts, Drained, Limits, ListenOptions, Listener};
use bailee_server::tls::{MinVersion, ServerTls, TlsOptions};
use http::{Extensions, HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

/// No step of a test takes longer.
pub const PATIENCE: Duration = Duration::from_secs(10);
pub const LARGE_BYTES: usize = 64 * 1024 * 1024;

pub struct Server {
    pub address: SocketAddr,
    pub tls: Arc<ServerTls>,
    pub issuer: rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
    pub folder: TempDir,
    pub shutdown: CancellationToken,
    pub running: JoinHandle<Drained>,
}

impl Server {
    pub fn start(limits: Limits, min_version: MinVersion) -> Self {
        let folder = TempDir::new().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        let issuer =
            rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap())
                .unwrap();
        write_pair(&issuer, folder.path());
        let options = TlsOptions {
            certificate: folder.path().join("server.pem"),
            private_key: folder.path().join("server.key"),
            min_version,
        };
        let tls = Arc::new(ServerTls::load(options).unwrap());
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(ListenOptions {
            address,
            tls: Arc::clone(&tls),
            limits,
        })
        .unwrap();
        let shutdown = CancellationToken::new();
        let address = listener.address();
        let running = tokio::spawn(listener.serve(router(), facts_as_extension, shutdown.clone()));
        Self {
            address,
            tls,
            issuer,
            folder,
            shutdown,
            running,
        }
    }

    pub async fn connect(&self, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_with(protocols, rustls::DEFAULT_VERSIONS).await
    }

    pub async fn connect_with(
        &self,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
    }

    pub async fn http1(&self) -> http1::SendRequest<Full<Bytes>> {
        let stream = self.connect(&["http/1.1"]).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    pub async fn http2(
        &self,
    ) -> (
        http2::SendRequest<Full<Bytes>>,
        JoinHandle<hyper::Result<()>>,
    ) {
        let stream = self.connect(&["h2", "http/1.1"]).await.unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        (sender, tokio::spawn(connection))
    }
}

pub fn write_pair(issuer: &rcgen::CertifiedIssuer<'static, rcgen::KeyPair>, folder: &Path) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    std::fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    std::fs::set_permissions(folder.join("server.key"), Permissions::from_mode(0o600)).unwrap();
}

pub fn facts_as_extension(facts: &ConnectionFacts) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(facts.clone());
    extensions
}

pub fn router() -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route(
            "/facts",
            get(async |Extension(facts): Extension<ConnectionFacts>| format!("{facts:?}")),
        )
        .route("/slow", get(slow))
        .route("/large", get(async || vec![7_u8; LARGE_BYTES]))
        .route("/take", post(take))
        .route(
            "/lengths",
            post(async |headers: HeaderMap| lengths(&headers)),
        )
}

pub async fn slow() -> &'static str {
    sleep(Duration::from_millis(700)).await;
    "slow"
}

/// How the head says where its body ends.
pub fn lengths(headers: &HeaderMap) -> String {
    let of = |name| headers.get(name).unwrap().to_str().unwrap();
    format!("{} {}", of("content-length"), of("transfer-encoding"))
}

pub async fn take(body: Body) -> Result<String, StatusCode> {
    match body.collect().await {
        Ok(body) => Ok(body.to_bytes().len().to_string()),
        Err(error) => Err(if is_time_out(&error) {
            StatusCode::REQUEST_TIMEOUT
        } else {
            StatusCode::BAD_REQUEST
        }),
    }
}

pub fn is_time_out(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == ErrorKind::TimedOut)
        {
            return true;
        }
        next = error.source();
    }
    false
}

pub fn ask(path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("https://localhost{path}"))
        .header("host", "localhost")
        .body(Full::default())
        .unwrap()
}

pub async fn read_all(stream: &mut TlsStream<TcpStream>) -> String {
    let mut bytes = Vec::new();
    // A cut without goodbye is an error to rustls; what came before it counts.
    let _cut = timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

pub fn leaf(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream
        .get_ref()
        .1
        .peer_certificates()
        .unwrap()
        .first()
        .unwrap()
        .clone()
        .into_owned()
}
