//! Passwords, and servers that hang, flood or lie: a fault in good time, and never wrong bytes.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod fake_sftp;

use std::time::Duration;

use bailee_connect::{
    Connector, ConnectorSpec, EgressGuard, FaultKind, PrivateKey, ReadFrom, RemotePath,
    RemoteWriter, Replace, Result, SftpConfig, SftpTimes, WriteOptions, open,
};
use bytes::Bytes;
use fake_sftp::{PASSWORD, Vice, content, start};
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SHORT: Duration = Duration::from_millis(300);

fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

async fn sign_in(vice: Vice, password: &str) -> Result<Box<dyn Connector>> {
    let (port, host_key) = start(vice).await;
    let config = SftpConfig {
        password: Some(password.to_owned().into()),
        host_key: Some(host_key),
        times: SftpTimes {
            idle: SHORT,
            ..SftpTimes::default()
        },
        ..SftpConfig::new("127.0.0.1", port, "ann")
    };
    open(
        ConnectorSpec::Sftp(config),
        &EgressGuard::strict().allowing_loopback(),
    )
    .await
}

async fn far(vice: Vice) -> Box<dyn Connector> {
    sign_in(vice, PASSWORD).await.unwrap()
}

fn kind<T>(result: Result<T>) -> FaultKind {
    result.err().map(|fault| fault.kind().clone()).unwrap()
}

async fn read(vice: Vice) -> Result<Vec<u8>> {
    let chunks: Vec<Bytes> = far(vice)
        .await
        .read(&path("a"), ReadFrom::offset(0))
        .await?
        .try_collect()
        .await?;
    Ok(chunks.concat())
}

async fn writer(vice: Vice) -> Box<dyn RemoteWriter> {
    far(vice)
        .await
        .write(&path("a"), WriteOptions::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn passwords_sign_in_plainly_or_as_an_answer() {
    for vice in [Vice::None, Vice::AsksQuestions] {
        assert!(sign_in(vice, PASSWORD).await.is_ok(), "{vice:?}");
        assert_eq!(
            kind(sign_in(vice, "wrong").await),
            FaultKind::AuthFailed,
            "{vice:?}"
        );
    }
    assert_eq!(
        kind(sign_in(Vice::AsksForMore, PASSWORD).await),
        FaultKind::AuthFailed
    );
}

#[tokio::test]
async fn a_server_without_extensions_is_enough() {
    let far = far(Vice::None).await;
    assert!(!far.capabilities().replaces_atomically && !far.capabilities().syncs);
    let mut writer = far
        .write(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write(content().into()).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), 200_000);
    assert!(read(Vice::None).await.unwrap() == content());
    assert_eq!(
        kind(far.rename(&path("a"), &path("b"), Replace::No).await),
        FaultKind::Exists
    );
    far.rename(&path("a"), &path("b"), Replace::Yes)
        .await
        .unwrap();
    let listing = far.list(&path("/"), 10).await.unwrap();
    assert_eq!((listing.entries.len(), listing.unnameable_count), (1, 3));
}

#[tokio::test]
async fn short_answers_are_completed() {
    assert!(read(Vice::ShortensReads).await.unwrap() == content());
}

#[tokio::test]
async fn wrong_answers_are_refused() {
    for vice in [Vice::OverfillsReads, Vice::EmptiesReads] {
        assert_eq!(kind(read(vice).await), FaultKind::Protocol, "{vice:?}");
    }
    let mut lossy = writer(Vice::LosesAByte).await;
    lossy.write(Bytes::from_static(b"12345")).await.unwrap();
    assert_eq!(kind(lossy.finish().await), FaultKind::Protocol);
    let mut full = writer(Vice::IsFull).await;
    full.write(Bytes::from_static(b"12345")).await.unwrap();
    assert_eq!(kind(full.finish().await), FaultKind::OutOfSpace);
    assert_eq!(kind(read(Vice::HangsUp).await), FaultKind::ConnectionLost);
    let cut = sign_in(Vice::HangsUpAtSignIn, PASSWORD).await;
    assert_eq!(kind(cut), FaultKind::ConnectionLost, "this is no refusal");
}

#[tokio::test]
async fn silence_is_a_time_out() {
    assert_eq!(
        kind(far(Vice::HangsOnStat).await.stat(&path("a")).await),
        FaultKind::Timeout
    );
    assert_eq!(kind(read(Vice::HangsOnRead).await), FaultKind::Timeout);
    let mut hanging = writer(Vice::HangsOnWrite).await;
    hanging.write(Bytes::from(vec![7; 100_000])).await.unwrap();
    assert_eq!(kind(hanging.flush().await), FaultKind::Timeout);
    assert_eq!(
        hanging.confirmed_bytes(),
        32 * 1024,
        "only what was confirmed without a gap counts"
    );
}

#[tokio::test]
async fn listings_end() {
    let listing = far(Vice::ListsForEver)
        .await
        .list(&path("/"), usize::MAX)
        .await
        .unwrap();
    assert_eq!((listing.entries.len(), listing.is_cut), (10_000, true));
    assert_eq!(
        kind(
            far(Vice::ListsNothingForEver)
                .await
                .list(&path("/"), 5)
                .await
        ),
        FaultKind::Protocol
    );
}

#[tokio::test]
async fn what_is_no_ssh_server_is_said_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let times = SftpTimes {
        sign_in: SHORT,
        ..SftpTimes::default()
    };
    let config = SftpConfig {
        times,
        ..SftpConfig::new("127.0.0.1", port, "ann")
    };
    let guard = EgressGuard::strict().allowing_loopback();
    let connect = || open(ConnectorSpec::Sftp(config.clone()), &guard);

    let silent = tokio::spawn(async move {
        let (mut held, _) = listener.accept().await.unwrap();
        held.read_to_end(&mut Vec::new()).await.unwrap(); // ends only when the other side hangs up
        listener
    });
    assert_eq!(kind(connect().await), FaultKind::Timeout);
    let listener = tokio::time::timeout(SHORT * 10, silent)
        .await
        .unwrap()
        .unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream
                .write_all(&b"HTTP/1.1 400 Bad Request\r\n".repeat(1000))
                .await;
        }
    });
    assert!(matches!(
        kind(connect().await),
        FaultKind::Protocol | FaultKind::ConnectionLost
    ));
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let mut config = SftpConfig::new("127.0.0.1", 1, "ann");
    config.password = Some(PASSWORD.to_owned().into());
    config.private_key = Some(PrivateKey {
        pem: PASSWORD.to_owned().into(),
        passphrase: Some(PASSWORD.to_owned().into()),
    });
    assert!(!format!("{config:?} {:?}", ConnectorSpec::Sftp(config.clone())).contains(PASSWORD));
    let fault = sign_in(Vice::AsksForMore, PASSWORD).await.err().unwrap();
    assert!(!format!("{fault} {fault:?}").contains(PASSWORD));
    let (port, host_key) = start(Vice::None).await;
    let config = SftpConfig {
        port,
        host_key: Some(host_key),
        ..config
    };
    let guard = EgressGuard::strict().allowing_loopback();
    let fault = open(ConnectorSpec::Sftp(config), &guard)
        .await
        .err()
        .unwrap();
    assert_eq!(fault.kind(), &FaultKind::Invalid, "the key is no key");
    assert!(!format!("{fault} {fault:?}").contains(PASSWORD));
}
