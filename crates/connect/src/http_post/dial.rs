//! New connections: judged address, TLS 1.2 or better, HTTP/1.1.

use std::sync::Arc;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
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
use crate::tls::{self, TlsOptions};

/// TLS that trusts this machine's authorities and those in `extra_roots_pem`.
pub(super) fn tls(extra_roots_pem: &str) -> Result<TlsConnector> {
    let mut config = tls::config(&TlsOptions {
        extra_roots_pem: extra_roots_pem.to_owned(),
        ..TlsOptions::default()
    })?;
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
    let found = tls::fault(&error).unwrap_or_else(|| {
        let message = "the connection ended in the TLS handshake";
        Fault::new(FaultKind::ConnectionLost, message)
    });
    found.because(error)
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
