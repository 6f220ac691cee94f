//! What SFTP must do besides the suite, against OpenSSH: keys, pins, refusals, cut lines.

use bailee_connect::{
    ConnectorSpec, EgressGuard, FaultKind, ReadFrom, Replace, SftpConfig, WriteOptions, open,
};
use bytes::Bytes;
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::sshd::Sshd;
use super::{bytes, kind, open_sftp, path, put, sftp, take};

#[tokio::test]
async fn several_streams_share_a_session() {
    let server = Sshd::start("");
    let far = open_sftp(sftp(&server, "ed25519")).await.unwrap();
    let names = ["one", "two", "three"];
    let far = far.as_ref();
    futures::future::join_all(names.map(|name| put(far, name, bytes(2_000_000)))).await;
    for taken in futures::future::join_all(names.map(|name| take(far, name, 0))).await {
        assert!(taken.unwrap() == bytes(2_000_000));
    }
    // A stream that is dropped in the middle gives its handle back and leaves the session usable.
    for _ in 0..20 {
        let mut stream = far.read(&path("one"), ReadFrom::offset(0)).await.unwrap();
        assert!(stream.try_next().await.unwrap().is_some());
    }
    assert!(far.stat(&path("one")).await.unwrap().is_some());
}

#[tokio::test]
async fn every_kind_of_key_signs_in() {
    let server = Sshd::start("");
    for name in ["ed25519", "ecdsa", "rsa"] {
        let far = open_sftp(sftp(&server, name)).await.unwrap();
        assert!(far.stat(&path("/")).await.unwrap().is_some(), "{name}");
    }
    let mut config = sftp(&server, "locked");
    assert_eq!(kind(open_sftp(config.clone()).await), FaultKind::Invalid);
    config.private_key.as_mut().unwrap().passphrase = Some("open sesame".to_owned().into());
    open_sftp(config.clone()).await.unwrap();
    config.private_key.as_mut().unwrap().passphrase = Some("open says me".to_owned().into());
    assert_eq!(kind(open_sftp(config).await), FaultKind::Invalid);
    assert_eq!(
        kind(open_sftp(sftp(&server, "stranger")).await),
        FaultKind::AuthFailed
    );
    let nobody = SftpConfig {
        user: "no-such-user".to_owned(),
        ..sftp(&server, "ed25519")
    };
    assert_eq!(kind(open_sftp(nobody).await), FaultKind::AuthFailed);
}

#[tokio::test]
async fn the_host_key_is_pinned() {
    let server = Sshd::start("");
    let good = sftp(&server, "ed25519");
    let by_print = SftpConfig {
        host_key: Some(server.host_fingerprint()),
        ..good.clone()
    };
    open_sftp(by_print).await.unwrap();
    let unknown = open_sftp(SftpConfig {
        host_key: None,
        ..good.clone()
    })
    .await
    .err()
    .unwrap();
    let FaultKind::HostKeyUnknown { seen } = unknown.kind() else {
        unreachable!("{unknown:?}")
    };
    assert_eq!(seen.fingerprint, server.host_fingerprint());
    open_sftp(SftpConfig {
        host_key: Some(seen.public_key.clone()),
        ..good.clone()
    })
    .await
    .unwrap();
    let stranger = format!("SHA256:{}", "A".repeat(43));
    let changed = open_sftp(SftpConfig {
        host_key: Some(stranger.clone()),
        ..good.clone()
    })
    .await
    .err()
    .unwrap();
    let FaultKind::HostKeyChanged { pinned, seen } = changed.kind() else {
        unreachable!("{changed:?}")
    };
    assert_eq!(
        (pinned, &seen.fingerprint),
        (&stranger, &server.host_fingerprint())
    );
    assert!(!changed.is_transient());
    let other = Sshd::start("");
    let swapped = SftpConfig {
        host_key: Some(other.host_key()),
        ..good.clone()
    };
    assert!(matches!(
        kind(open_sftp(swapped).await),
        FaultKind::HostKeyChanged { .. }
    ));
    let broken = SftpConfig {
        host_key: Some("hm".to_owned()),
        ..good
    };
    assert_eq!(kind(open_sftp(broken).await), FaultKind::Invalid);
}

#[tokio::test]
async fn what_is_not_allowed_is_said() {
    let server = Sshd::start("-R");
    std::fs::write(server.files().join("there"), b"kept").unwrap();
    let far = open_sftp(sftp(&server, "ed25519")).await.unwrap();
    assert_eq!(take(far.as_ref(), "there", 0).await.unwrap(), b"kept");
    assert_eq!(
        kind(far.write(&path("there"), WriteOptions::default()).await),
        FaultKind::PermissionDenied
    );
    assert_eq!(
        kind(far.remove(&path("there")).await),
        FaultKind::PermissionDenied
    );
    assert_eq!(
        kind(far.mkdir(&path("new")).await),
        FaultKind::PermissionDenied
    );
    assert_eq!(
        kind(far.rename(&path("there"), &path("x"), Replace::Yes).await),
        FaultKind::PermissionDenied
    );
}

#[tokio::test]
async fn a_dead_or_forbidden_address_is_said() {
    let server = Sshd::start("");
    let config = sftp(&server, "ed25519");
    let fault = open(ConnectorSpec::Sftp(config.clone()), &EgressGuard::strict())
        .await
        .err()
        .unwrap();
    assert_eq!(fault.kind(), &FaultKind::AddressNotAllowed);
    let far = open_sftp(config.clone()).await.unwrap();
    drop(server);
    drop(far);
    let fault = open_sftp(config).await.err().unwrap();
    assert_eq!(fault.kind(), &FaultKind::Unreachable);
    assert!(fault.is_transient());
}

/// Passes bytes on to `port` and cuts the line after `limit` of them in either direction.
async fn cutting_relay(port: u16, limit: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relayed = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
        let mut passed = 0;
        while passed < limit {
            let sent = tokio::select! {
                read = near.read(&mut up) => far.write(up.get(..read.unwrap()).unwrap()).await,
                read = far.read(&mut down) => near.write(down.get(..read.unwrap()).unwrap()).await,
            };
            passed += sent.unwrap();
        }
    });
    relayed
}

#[tokio::test]
async fn a_cut_line_is_transient_and_the_transfer_goes_on() {
    let server = Sshd::start("");
    let direct = open_sftp(sftp(&server, "ed25519")).await.unwrap();
    let content = bytes(8_000_000);
    let through = |port| SftpConfig {
        port,
        ..sftp(&server, "ed25519")
    };

    let far = open_sftp(through(cutting_relay(server.port, 3_000_000).await))
        .await
        .unwrap();
    let mut writer = far
        .write(&path("cut"), WriteOptions::default())
        .await
        .unwrap();
    let mut fault = None;
    for piece in content.chunks(64 * 1024) {
        fault = writer.write(Bytes::copy_from_slice(piece)).await.err();
        if fault.is_some() {
            break;
        }
    }
    let fault = fault.unwrap();
    assert!(fault.is_transient(), "{fault:?}");
    let offset = writer.confirmed_bytes();
    assert!(offset > 0 && offset < 3_000_000, "{offset}");
    let mut writer = direct
        .write(
            &path("cut"),
            WriteOptions {
                offset,
                ..WriteOptions::default()
            },
        )
        .await
        .unwrap();
    writer
        .write(content.slice(offset as usize..))
        .await
        .unwrap();
    assert_eq!(writer.finish().await.unwrap(), 8_000_000);
    assert!(take(direct.as_ref(), "cut", 0).await.unwrap() == content);

    let far = open_sftp(through(cutting_relay(server.port, 3_000_000).await))
        .await
        .unwrap();
    let mut stream = far.read(&path("cut"), ReadFrom::offset(0)).await.unwrap();
    let mut got = Vec::new();
    let fault = loop {
        match stream.try_next().await {
            Ok(chunk) => got.extend_from_slice(&chunk.unwrap()),
            Err(fault) => break fault,
        }
    };
    assert!(fault.is_transient(), "{fault:?}");
    assert!(got.len() > 1_000_000 && content.starts_with(&got));
    let rest = take(direct.as_ref(), "cut", got.len() as u64)
        .await
        .unwrap();
    assert!([got, rest].concat() == content);
}
