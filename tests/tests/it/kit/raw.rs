//! HTTP/1.1 by hand over TLS, for requests that a client library would never send.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{PATIENCE, Server, answers};

/// One connection.
pub(crate) struct Raw(TlsStream<TcpStream>);

impl Raw {
    pub(crate) async fn connect(server: &Server) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(server.ca_file()).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let line = TcpStream::connect(server.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        Self(
            TlsConnector::from(Arc::new(config))
                .connect(name, line)
                .await
                .unwrap(),
        )
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// Status and code of the problem that answers what was sent to `path`; the server closes the connection.
    pub(crate) async fn refusal(self, method: &str, path: &str) -> (u16, String) {
        let answer = self.rest().await;
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let problem: Value = serde_json::from_str(body).unwrap();
        let code = problem["code"].as_str().unwrap().to_owned();
        answers::note(method, path, status, &code);
        (status, code)
    }

    /// Says that nothing more comes, and reads what is still answered.
    pub(crate) async fn cut_and_rest(mut self) -> String {
        let _ = self.0.shutdown().await;
        self.rest().await
    }

    /// Everything until the server closes the connection.
    pub(crate) async fn rest(mut self) -> String {
        let mut all = Vec::new();
        // A server that has refused may reset the line when more was sent.
        let _ = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut all))
            .await
            .unwrap();
        String::from_utf8_lossy(&all).into_owned()
    }
}
