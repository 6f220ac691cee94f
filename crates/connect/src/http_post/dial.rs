//! New connections: judged address, TLS 1.2 or better, HTTP/1.1.

use std::sync::Arc;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::invalid;
use super::pool::Line;
use super::request::Target;
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

/// TLS that trusts this machine's authorities and those in `extra_roots_pem`.
pub(super) fn tls(extra_roots_pem: &str) -> Result<TlsConnector> {
    let unfit = |error: rustls::Error| {
        Fault::new(
            FaultKind::CertificateInvalid,
            "the certificate authorities cannot be used",
        )
        .because(error)
    };
    let extra = CertificateDer::pem_slice_iter(extra_roots_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            Fault::new(
                FaultKind::CertificateInvalid,
                "the extra certificate authorities cannot be read",
            )
            .because(error)
        })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(unfit)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .dangerous() // the platform's verifier checks chain, name and time; only rustls' own default is set aside
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Connects to `target` by `deadline`.
pub(super) async fn line(
    guard: &EgressGuard,
    tls: &TlsConnector,
    target: &Target,
    deadline: Instant,
) -> Result<Line> {
    let mut addresses = guard.resolve(&target.host, target.port).await?;
    if !target.is_tls {
        addresses.retain(|address| address.ip().is_loopback());
        if addresses.is_empty() {
            let message = "plain http is for this machine's own addresses only; use https";
            return Err(Fault::new(FaultKind::AddressNotAllowed, message));
        }
    }
    let deadline = deadline.min(Instant::now() + limit::CONNECT_TIME_MAX);
    let (stream, address) = guard.connect(&addresses, deadline).await?;
    if !target.is_tls {
        return shake_hands(stream, address).await;
    }
    let bare = target
        .host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let name = ServerName::try_from(bare)
        .map_err(|error| invalid("the URL's host is no name").because(error))?;
    let stream = secure(tls, name, stream).await?;
    shake_hands(stream, address).await
}

async fn secure(
    tls: &TlsConnector,
    name: ServerName<'static>,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>> {
    match tokio::time::timeout(limit::CONNECT_TIME_MAX, tls.connect(name, stream)).await {
        Ok(connected) => connected.map_err(tls_fault),
        Err(_) => Err(Fault::timeout("the TLS handshake")),
    }
}

fn tls_fault(error: std::io::Error) -> Fault {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (kind, message) = match inner {
        Some(rustls::Error::InvalidCertificate(why)) => (
            FaultKind::CertificateInvalid,
            format!("the receiver's certificate is not valid: {why}"),
        ),
        Some(_) => (FaultKind::Protocol, "the TLS handshake failed".to_owned()),
        None => (
            FaultKind::ConnectionLost,
            "the connection ended in the TLS handshake".to_owned(),
        ),
    };
    Fault::new(kind, message).because(error)
}

async fn shake_hands<S>(stream: S, address: std::net::SocketAddr) -> Result<Line>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(limit::ANSWER_HEAD_BYTES_MAX)
        .max_headers(limit::ANSWER_HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let driver = tokio::spawn(async move {
        let _ = connection.await; // a broken connection shows at its sender
    });
    Ok(Line {
        sender,
        address,
        _driver: AbortOnDropHandle::new(driver),
    })
}

/// What an error of an open connection means.
pub(super) fn broken(error: hyper::Error) -> Fault {
    let (kind, message) = if error.is_parse() {
        (
            FaultKind::Protocol,
            "the receiver's answer is not HTTP, or its head is too large",
        )
    } else if error.is_timeout() {
        (FaultKind::Timeout, "the receiver's answer took too long")
    } else {
        (
            FaultKind::ConnectionLost,
            "the receiver hung up before it answered",
        )
    };
    Fault::new(kind, message).because(error)
}
