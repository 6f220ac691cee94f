//! Webhooks against receivers that redirect, flood, dawdle and lie.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod receiver;

use std::sync::atomic::Ordering;
use std::time::Duration;

use bailee_connect::{EgressGuard, FaultKind, PostAnswer, PostRequest, Poster, Result, RetryAfter};
use bailee_model::Timestamp;
use bytes::Bytes;
use receiver::{raw_receiver, receiver, tls_receiver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn poster() -> Poster {
    Poster::new(EgressGuard::strict().allowing_loopback(), "").unwrap()
}

fn request(url: &str) -> PostRequest {
    PostRequest {
        url: url.to_owned(),
        headers: vec![("x-signature".to_owned(), "abc".to_owned())],
        body: Bytes::from_static(b"{}"),
        timeout: Duration::from_secs(3),
    }
}

async fn post(url: &str) -> Result<PostAnswer> {
    poster().post(request(url)).await
}

fn kind<T>(result: Result<T>) -> FaultKind {
    result.err().map(|fault| fault.kind().clone()).unwrap()
}

#[tokio::test]
async fn a_message_is_posted_and_its_answer_read() {
    let (base, _) = receiver().await;
    let answer = post(&format!("{base}/echo?a=b")).await.unwrap();
    assert_eq!(
        (
            answer.status,
            answer.body_start.as_slice(),
            answer.is_body_cut
        ),
        (201, b"{}".as_slice(), false)
    );
    assert!(
        answer
            .head
            .contains(&("x-seen".to_owned(), "abc".to_owned()))
    );
    assert!(answer.address.ip().is_loopback());
    assert_eq!(answer.retry_after, None);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (base, connections) = receiver().await;
    let answer = post(&format!("{base}/moved")).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_flood_is_cut_and_its_connection_given_up() {
    let (base, connections) = receiver().await;
    let poster = poster();
    for round in 1..=2 {
        let answer = poster
            .post(request(&format!("{base}/flood")))
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.body_start.len(), answer.is_body_cut),
            (200, 4096, true)
        );
        assert_eq!(connections.load(Ordering::SeqCst), round);
    }
}

#[tokio::test]
async fn a_slow_answer_is_a_time_out() {
    let (base, _) = receiver().await;
    let hurried = PostRequest {
        timeout: Duration::from_millis(200),
        ..request(&format!("{base}/slow"))
    };
    let fault = poster().post(hurried).await.unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::Timeout);
    assert!(fault.is_transient());
}

#[tokio::test]
async fn a_body_that_never_ends_does_not_undo_the_status() {
    let base = raw_receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart".to_vec()).await;
    let hurried = PostRequest {
        timeout: Duration::from_millis(300),
        ..request(&base)
    };
    let answer = poster().post(hurried).await.unwrap();
    assert_eq!(
        (
            answer.status,
            answer.body_start.as_slice(),
            answer.is_body_cut
        ),
        (200, b"part".as_slice(), true)
    );
}

#[tokio::test]
async fn answers_that_are_no_http_are_refused() {
    assert_eq!(
        kind(post(&raw_receiver(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()).await).await),
        FaultKind::Protocol
    );
    let endless = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".repeat(200_000)].concat();
    assert_eq!(
        kind(post(&raw_receiver(endless).await).await),
        FaultKind::Protocol
    );
}

#[tokio::test]
async fn retry_after_is_read_in_both_forms() {
    let (base, _) = receiver().await;
    let busy = post(&format!("{base}/busy")).await.unwrap();
    assert_eq!(
        (busy.status, busy.retry_after),
        (429, Some(RetryAfter::Seconds(17)))
    );
    let later = post(&format!("{base}/later")).await.unwrap();
    assert_eq!(
        later.retry_after,
        Some(RetryAfter::At(Timestamp::from_ms(1_795_252_440_000)))
    );
}

#[tokio::test]
async fn connections_are_used_again() {
    let (base, connections) = receiver().await;
    let poster = poster();
    for _ in 0..50 {
        assert_eq!(
            poster
                .post(request(&format!("{base}/echo")))
                .await
                .unwrap()
                .status,
            201
        );
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    let poster = &poster;
    let all = (0..40).map(|_| poster.post(request(&format!("{base}/echo"))));
    assert!(
        futures::future::join_all(all)
            .await
            .iter()
            .all(Result::is_ok)
    );
}

#[tokio::test]
async fn a_connection_that_the_receiver_closed_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    });
    let poster = poster();
    for _ in 0..200 {
        assert_eq!(poster.post(request(&url)).await.unwrap().status, 204);
    }
}

#[tokio::test]
async fn forbidden_places_are_refused() {
    let (base, connections) = receiver().await;
    let strict = Poster::new(EgressGuard::strict(), "").unwrap();
    assert_eq!(
        kind(strict.post(request(&format!("{base}/echo"))).await),
        FaultKind::AddressNotAllowed
    );
    let opened = EgressGuard::strict()
        .allowing_loopback()
        .allowing(["10.0.0.0/8".parse().unwrap()]);
    let opened = Poster::new(opened, "").unwrap();
    // Allowed as addresses, but not without TLS.
    for url in [
        "http://10.0.0.1/",
        "http://1.1.1.1/",
        "http://8.8.8.8:8080/",
    ] {
        assert_eq!(
            kind(opened.post(request(url)).await),
            FaultKind::AddressNotAllowed,
            "{url}"
        );
    }
    for url in [
        "https://169.254.169.254/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://0xa9fea9fe/",
        "https://2852039166/",
    ] {
        assert_eq!(
            kind(opened.post(request(url)).await),
            FaultKind::AddressNotAllowed,
            "{url}"
        );
    }
    for url in [
        "ftp://1.1.1.1/",
        "file:///etc/passwd",
        "https://user:secret@1.1.1.1/",
        "nonsense",
        "https://",
    ] {
        assert_eq!(
            kind(opened.post(request(url)).await),
            FaultKind::Invalid,
            "{url}"
        );
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn framing_headers_cannot_be_given() {
    let (base, _) = receiver().await;
    for (name, value) in [
        ("Host", "other"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "close"),
        ("x-split", "a\r\nx-b: c"),
        ("bad name", "a"),
    ] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let fault = poster()
            .post(PostRequest {
                headers,
                ..request(&base)
            })
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::Invalid, "{name}");
        assert!(
            !format!("{fault:?}").contains("x-b"),
            "a header's value is in the fault"
        );
    }
}

#[tokio::test]
async fn certificates_are_checked() {
    let guard = || EgressGuard::strict().allowing_loopback();
    for versions in [rustls::ALL_VERSIONS, &[&rustls::version::TLS12]] {
        let (port, ca) = tls_receiver(versions).await;
        let url = format!("https://localhost:{port}/echo");
        let trusting = Poster::new(guard(), &ca).unwrap();
        assert_eq!(trusting.post(request(&url)).await.unwrap().status, 201);
        let doubting = Poster::new(guard(), "").unwrap();
        assert_eq!(
            kind(doubting.post(request(&url)).await),
            FaultKind::CertificateInvalid
        );
        let other_name = format!("https://127.0.0.1:{port}/echo");
        assert_eq!(
            kind(trusting.post(request(&other_name)).await),
            FaultKind::CertificateInvalid
        );
    }
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    assert_eq!(
        kind(Poster::new(guard(), broken)),
        FaultKind::CertificateInvalid
    );
}
