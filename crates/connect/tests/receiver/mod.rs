//! Receivers of webhooks that answer, redirect, flood, dawdle and lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A receiver over plain HTTP, and how many connections it took.
pub async fn receiver() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let serve = hyper::server::conn::http1::Builder::new();
                let _ = serve
                    .serve_connection(TokioIo::new(stream), service_fn(answer))
                    .await;
            });
        }
    });
    (base, connections)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let route = request.uri().path().to_owned();
    let signature = request.headers().get("x-signature").cloned();
    let body = request.into_body().collect().await?.to_bytes();
    let response = Response::builder();
    let response = match route.as_str() {
        "/echo" => response
            .status(201)
            .header("x-seen", signature.unwrap())
            .body(Full::new(body)),
        "/moved" => response
            .status(302)
            .header("location", "/echo")
            .body(Full::default()),
        "/flood" => response.body(Full::new(Bytes::from(vec![b'x'; 1024 * 1024]))),
        "/slow" => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            response.body(Full::default())
        }
        "/busy" => response
            .status(429)
            .header("retry-after", "17")
            .body(Full::default()),
        "/later" => response
            .status(503)
            .header("retry-after", "Sat, 21 Nov 2026 09:14:00 GMT")
            .body(Full::default()),
        _ => response.status(404).body(Full::default()),
    };
    Ok(response.unwrap())
}

/// A receiver that sends exactly `reply` to whatever comes, then waits.
pub async fn raw_receiver(reply: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let reply = reply.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(&reply).await;
                tokio::time::sleep(Duration::from_secs(20)).await;
            });
        }
    });
    base
}

/// A receiver over TLS with a certificate of its own authority; returns its port and the authority's certificate.
pub async fn tls_receiver(versions: &[&'static rustls::SupportedProtocolVersion]) -> (u16, String) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(params, ca_key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&leaf_key, &issuer)
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(leaf_key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { serve_tls(acceptor, stream).await });
        }
    });
    (port, ca.pem())
}

async fn serve_tls(acceptor: tokio_rustls::TlsAcceptor, stream: TcpStream) {
    if let Ok(stream) = acceptor.accept(stream).await {
        let serve = hyper::server::conn::http1::Builder::new();
        let _ = serve
            .serve_connection(TokioIo::new(stream), service_fn(answer))
            .await;
    }
}
