//! The listener from outside: real sockets, real TLS, small timers.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../kit/mod.rs"]
mod kit;
mod stop;

use std::convert::Infallible;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use bailee_server::listen::Limits;
use bailee_server::tls::{MinVersion, TlsError};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use kit::{LARGE_BYTES, PATIENCE, Server, ask, leaf, read_all, write_pair};

#[tokio::test]
async fn both_protocols_are_spoken_and_requests_know_their_connection() {
    let server = Server::start(Limits::default(), MinVersion::V1_3);
    let mut one = server.http1().await;
    let answer = one.send_request(ask("/facts")).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_11);
    let text = String::from_utf8(answer.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    assert!(
        text.contains("Http1") && text.contains("V1_3") && text.contains("connection_number: 1"),
        "{text}"
    );

    let (mut two, _connection) = server.http2().await;
    let answer = two.send_request(ask("/facts")).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    let text = String::from_utf8(answer.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    assert!(
        text.contains("Http2") && text.contains(r#"server_name: Some("localhost")"#),
        "{text}"
    );
    assert!(text.contains("connection_number: 2"), "{text}");
}

#[tokio::test]
async fn large_bodies_pass_whole_in_both_directions() {
    let server = Server::start(Limits::default(), MinVersion::V1_3);
    let sent = Bytes::from(vec![3_u8; LARGE_BYTES]);
    let post = || {
        Request::post("https://localhost/take")
            .header("host", "localhost")
            .body(Full::new(sent.clone()))
    };
    let mut one = server.http1().await;
    let (mut two, _connection) = server.http2().await;
    for answer in [
        one.send_request(post().unwrap()).await,
        two.send_request(post().unwrap()).await,
    ] {
        assert_eq!(
            answer.unwrap().collect().await.unwrap().to_bytes(),
            LARGE_BYTES.to_string()
        );
    }
    for answer in [
        one.send_request(ask("/large")).await,
        two.send_request(ask("/large")).await,
    ] {
        let answer = answer.unwrap();
        assert_eq!(
            answer.headers().get("content-length").unwrap(),
            &LARGE_BYTES.to_string()
        );
        assert_eq!(
            answer.collect().await.unwrap().to_bytes(),
            vec![7_u8; LARGE_BYTES]
        );
    }
}

#[tokio::test]
async fn a_peer_without_a_handshake_is_cut() {
    let server = Server::start(
        Limits {
            handshake: Duration::from_millis(200),
            ..Limits::default()
        },
        MinVersion::V1_3,
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let read = timeout(PATIENCE, stream.read_u8()).await.unwrap();
    assert!(read.is_err());
}

#[tokio::test]
async fn a_slow_head_is_cut_though_it_drips() {
    let limits = Limits {
        header_read: Duration::from_millis(400),
        ..Limits::default()
    };
    let server = Server::start(limits, MinVersion::V1_3);
    // The first head of a connection, and one after an answer.
    for asked_before in [false, true] {
        let mut stream = server.connect(&["http/1.1"]).await.unwrap();
        if asked_before {
            stream
                .write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n")
                .await
                .unwrap();
            let mut some = [0_u8; 1024];
            assert!(stream.read(&mut some).await.unwrap() > 0);
            // Idle is not slow: the timer of a head starts with its first byte.
            sleep(Duration::from_millis(600)).await;
        }
        let start = Instant::now();
        let (mut reader, mut writer) = tokio::io::split(stream);
        let drip = tokio::spawn(async move {
            writer.write_all(b"GET /hello HTTP/1.1\r\n").await?;
            loop {
                writer.write_all(b"x-drip: 1\r\n").await?;
                sleep(Duration::from_millis(50)).await;
            }
            #[expect(unreachable_code, reason = "gives the block its type")]
            std::io::Result::Ok(())
        });
        let mut rest = Vec::new();
        let _cut = timeout(PATIENCE, reader.read_to_end(&mut rest))
            .await
            .unwrap();
        let took = start.elapsed();
        drip.abort();
        assert!(
            took >= Duration::from_millis(300) && took < Duration::from_secs(3),
            "{asked_before} {took:?}"
        );
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn an_http2_connection_that_asks_nothing_is_cut() {
    let limits = Limits {
        header_read: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::start(limits, MinVersion::V1_3);
    let start = Instant::now();
    let (_sender, connection) = server.http2().await;
    let _ended = timeout(PATIENCE, connection).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::start(
        Limits {
            idle: Duration::from_millis(300),
            ..Limits::default()
        },
        MinVersion::V1_3,
    );
    let mut one = server.connect(&["http/1.1"]).await.unwrap();
    one.write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    assert!(read_all(&mut one).await.ends_with("hello"));
    let (mut two, connection) = server.http2().await;
    assert!(
        two.send_request(ask("/hello"))
            .await
            .unwrap()
            .status()
            .is_success()
    );
    assert!(
        timeout(PATIENCE, connection)
            .await
            .unwrap()
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn a_body_that_stops_is_answered_408() {
    let limits = Limits {
        body_window: Duration::from_millis(300),
        body_window_bytes: 100,
        ..Limits::default()
    };
    let server = Server::start(limits, MinVersion::V1_3);
    let mut stream = server.connect(&["http/1.1"]).await.unwrap();
    stream
        .write_all(b"POST /take HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n12345")
        .await
        .unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut() {
    let limits = Limits {
        answer_window: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::start(limits, MinVersion::V1_3);
    let mut stream = server.connect(&["http/1.1"]).await.unwrap();
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_millis(1500)).await;
    let mut bytes = Vec::new();
    assert!(
        timeout(PATIENCE, stream.read_to_end(&mut bytes))
            .await
            .unwrap()
            .is_err()
    );
    assert!(bytes.len() < LARGE_BYTES);
}

#[tokio::test]
async fn a_slow_but_steady_reader_is_served() {
    let limits = Limits {
        answer_window: Duration::from_millis(1500),
        ..Limits::default()
    };
    let server = Server::start(limits, MinVersion::V1_3);
    let mut stream = server.connect(&["http/1.1"]).await.unwrap();
    let ask = b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    // 256 KiB/s: the kernel's buffers hold what this reader takes in many windows.
    let mut some = vec![0_u8; 16 * 1024];
    for _ in 0..100 {
        stream.read_exact(&mut some).await.unwrap();
        sleep(Duration::from_millis(60)).await;
    }
    // Now without pause: what the server sent must be whole up to here and beyond.
    for _ in 0..1000 {
        stream.read_exact(&mut some).await.unwrap();
    }
}

#[tokio::test]
async fn an_http2_stream_that_is_never_taken_ends_its_connection() {
    let stream_stall = Duration::from_millis(400);
    let limits = Limits {
        stream_stall,
        ..Limits::default()
    };
    let server = Server::start(limits, MinVersion::V1_3);
    let (mut sender, connection) = server.http2().await;
    // The body is kept but not read: the stream's window stays shut while the connection is alive.
    let start = Instant::now();
    let _kept = sender.send_request(ask("/large")).await.unwrap();
    let _ended = timeout(PATIENCE, connection).await.unwrap();
    assert!(start.elapsed() >= stream_stall && start.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let server = Server::start(
        Limits {
            connections_per_address: 2,
            ..Limits::default()
        },
        MinVersion::V1_3,
    );
    let first = server.connect(&[]).await.unwrap();
    let _second = server.connect(&[]).await.unwrap();
    assert!(
        timeout(PATIENCE, server.connect(&[]))
            .await
            .unwrap()
            .is_err()
    );
    drop(first);
    sleep(Duration::from_millis(200)).await;
    assert!(server.connect(&[]).await.is_ok());
}

#[tokio::test]
async fn a_head_beyond_its_limit_is_answered_431() {
    let server = Server::start(Limits::default(), MinVersion::V1_3);
    let mut stream = server.connect(&["http/1.1"]).await.unwrap();
    let value = "v".repeat(Limits::default().header_bytes_read() as usize);
    // The server may hang up before it has read all of it.
    let _cut = stream
        .write_all(
            format!("GET /hello HTTP/1.1\r\nhost: localhost\r\nx: {value}\r\n\r\n").as_bytes(),
        )
        .await;
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 431"));

    let (mut two, _connection) = server.http2().await;
    let mut request = ask("/hello");
    request.headers_mut().insert("x", value.parse().unwrap());
    let refused = match two.send_request(request).await {
        Ok(answer) => answer.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Err(_) => true,
    };
    assert!(refused);
}

#[tokio::test]
async fn tls_1_2_is_refused_unless_asked_for() {
    let strict = Server::start(Limits::default(), MinVersion::V1_3);
    assert!(
        strict
            .connect_with(&[], &[&rustls::version::TLS12])
            .await
            .is_err()
    );
    let lax = Server::start(Limits::default(), MinVersion::V1_2);
    assert!(
        lax.connect_with(&[], &[&rustls::version::TLS12])
            .await
            .is_ok()
    );
    assert!(
        lax.connect_with(&[], &[&rustls::version::TLS13])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_reload_changes_the_certificate_and_keeps_connections() {
    let server = Server::start(Limits::default(), MinVersion::V1_3);
    let before = leaf(&server.connect(&[]).await.unwrap());
    let mut live = server.http1().await;

    write_pair(&server.issuer, server.folder.path());
    server.tls.reload().unwrap();
    let after = leaf(&server.connect(&[]).await.unwrap());
    assert_ne!(before, after);
    assert!(
        live.send_request(ask("/hello"))
            .await
            .unwrap()
            .status()
            .is_success()
    );

    // A key of another certificate, then one that everybody can read: both refused, the pair in use stays.
    let key_file = server.folder.path().join("server.key");
    std::fs::write(
        &key_file,
        rcgen::KeyPair::generate().unwrap().serialize_pem(),
    )
    .unwrap();
    assert!(matches!(server.tls.reload(), Err(TlsError::Pair { .. })));
    std::fs::set_permissions(&key_file, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        server.tls.reload(),
        Err(TlsError::OpenKey { mode: 0o644, .. })
    ));
    std::fs::write(server.folder.path().join("server.pem"), "nothing").unwrap();
    assert!(matches!(
        server.tls.reload(),
        Err(TlsError::Content {
            what: "certificate",
            ..
        })
    ));
    assert_eq!(leaf(&server.connect(&[]).await.unwrap()), after);
}

#[tokio::test]
async fn an_application_need_not_be_a_router() {
    let answer = tower::service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(http::Response::new(Body::from("bare")))
    });
    fn is_application<A: bailee_server::listen::Application>(_: &A) -> bool {
        true
    }
    assert!(is_application(&answer));
}

#[tokio::test]
async fn a_head_with_two_lengths_reaches_the_application_with_both() {
    let server = Server::start(Limits::default(), MinVersion::V1_3);
    for lengths in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let mut stream = server.connect(&["http/1.1"]).await.unwrap();
        // Behind an ordinary request, sent in one go.
        let text = format!(
            "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab\
             POST /lengths HTTP/1.1\r\nHost: localhost\r\n{lengths}\r\n0\r\n\r\n\
             GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let answers = timeout(PATIENCE, read_all(&mut stream)).await.unwrap();
        assert!(answers.ends_with("4 chunked"), "{answers}");
        assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    }
}
