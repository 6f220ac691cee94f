//! Stopping: what runs is finished, and nobody who is silent holds it up.

use std::time::Duration;

use bailee_server::listen::{Drained, Limits};
use bailee_server::tls::MinVersion;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::kit::{PATIENCE, Server, ask};

#[tokio::test]
async fn stopping_finishes_what_runs_and_takes_nothing_new() {
    let server = Server::start(Limits::default(), MinVersion::V1_3);
    let mut one = server.http1().await;
    let (mut two, connection) = server.http2().await;
    let answers = tokio::spawn(async move {
        tokio::join!(
            one.send_request(ask("/slow")),
            two.send_request(ask("/slow"))
        )
    });
    let _idle = server.connect(&["http/1.1"]).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    server.shutdown.cancel();
    sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(server.address).await.is_err());
    let (one, two) = timeout(PATIENCE, answers).await.unwrap().unwrap();
    assert_eq!(one.unwrap().collect().await.unwrap().to_bytes(), "slow");
    assert_eq!(two.unwrap().collect().await.unwrap().to_bytes(), "slow");
    assert!(timeout(PATIENCE, connection).await.unwrap().is_ok());
    assert_eq!(
        timeout(PATIENCE, server.running).await.unwrap().unwrap(),
        Drained::Cleanly
    );
}

#[tokio::test]
async fn stopping_cuts_what_does_not_end() {
    let server = Server::start(
        Limits {
            drain: Duration::from_millis(200),
            ..Limits::default()
        },
        MinVersion::V1_3,
    );
    let mut one = server.http1().await;
    let (mut two, _connection) = server.http2().await;
    let answers = tokio::spawn(async move {
        tokio::join!(
            one.send_request(ask("/slow")),
            two.send_request(ask("/slow"))
        )
    });
    sleep(Duration::from_millis(100)).await;
    server.shutdown.cancel();
    assert!(matches!(
        timeout(PATIENCE, server.running).await.unwrap().unwrap(),
        Drained::Cut(2..=3)
    ));
    let (one, two) = answers.await.unwrap();
    assert!(one.is_err() && two.is_err());
}

#[tokio::test]
async fn an_idle_http2_peer_that_does_not_answer_holds_up_no_stop() {
    let server = Server::start(Limits::default(), MinVersion::V1_3);
    let mut silent = server.connect(&["h2"]).await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    silent.write_all(preface).await.unwrap();
    // The server's settings: the connection is in use.
    let mut first = [0; 9];
    silent.read_exact(&mut first).await.unwrap();
    // One that asked something before is no different once it is answered.
    let (mut asking, _connection) = server.http2().await;
    let answer = asking.send_request(ask("/facts")).await.unwrap();
    drop(answer.collect().await.unwrap());
    server.shutdown.cancel();
    // Far less than the time to drain, and than what a ping waits for its answer.
    assert_eq!(
        timeout(PATIENCE, server.running).await.unwrap().unwrap(),
        Drained::Cleanly
    );
}
