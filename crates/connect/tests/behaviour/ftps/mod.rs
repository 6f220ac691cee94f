//! What FTPS must do, against pyftpdlib and vsftpd: the suite, refusals, lines that are cut.

mod cutting;
mod peer;

use bailee_connect::{
    Connector, ConnectorSpec, EgressGuard, FaultKind, FtpsConfig, FtpsMode, ProbeOptions, ReadFrom,
    Replace, Result, TlsOptions, WriteOptions, open, probe,
};
use bytes::Bytes;
use futures::TryStreamExt;
use peer::{Ftpd, Like};

use super::{bytes, guard, kind, path, put, suite, take};

const PLAIN: Like = Like {
    mode: FtpsMode::Explicit,
    has_mlst: true,
};

async fn open_ftps(config: FtpsConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::Ftps(config), &guard()).await
}

#[tokio::test]
async fn the_suite_holds_for_pyftpdlib() {
    let server = Ftpd::python(PLAIN);
    let far = open_ftps(server.config()).await.unwrap();
    let can = far.capabilities();
    assert!(can.can_read_at && can.can_write_at && !can.syncs && !can.appears_whole);
    suite(far.as_ref()).await;
    far.close().await;
    let fault = far.stat(&path("/")).await.unwrap_err();
    assert!(fault.is_transient(), "{fault:?}");
    let names: Vec<_> = std::fs::read_dir(server.files()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}"); // `box`, and nothing that was only for a time
}

#[tokio::test]
async fn the_suite_holds_for_implicit_tls_and_plain_listings() {
    let server = Ftpd::python(Like {
        mode: FtpsMode::Implicit,
        has_mlst: false,
    });
    suite(open_ftps(server.config()).await.unwrap().as_ref()).await;
}

#[tokio::test]
async fn the_suite_holds_for_vsftpd_with_session_reuse() {
    for mode in [FtpsMode::Explicit, FtpsMode::Implicit] {
        let Some(server) = Ftpd::vsftpd(mode) else {
            return;
        };
        let mut config = server.config();
        config.base = Some(path(server.files().to_str().unwrap()));
        suite(open_ftps(config).await.unwrap().as_ref()).await;
        assert!(server.log().contains("SSL version"), "{}", server.log());
    }
}

#[tokio::test]
async fn many_transfers_on_one_connection_keep_resuming() {
    let Some(server) = Ftpd::vsftpd(FtpsMode::Explicit) else {
        return;
    };
    let far = open_ftps(server.config()).await.unwrap();
    for at in 0..30 {
        put(far.as_ref(), "again", bytes(1_000 + at)).await;
        assert!(take(far.as_ref(), "again", 0).await.unwrap() == bytes(1_000 + at));
    }
}

#[tokio::test]
async fn several_streams_run_at_the_same_time() {
    let server = Ftpd::python(PLAIN);
    let far = open_ftps(server.config()).await.unwrap();
    let far = far.as_ref();
    let names = ["one", "two", "three"];
    futures::future::join_all(names.map(|name| put(far, name, bytes(2_000_000)))).await;
    for taken in futures::future::join_all(names.map(|name| take(far, name, 0))).await {
        assert!(taken.unwrap() == bytes(2_000_000));
    }
    for _ in 0..12 {
        let mut stream = far.read(&path("one"), ReadFrom::offset(0)).await.unwrap();
        assert!(stream.try_next().await.unwrap().is_some());
    }
    assert!(far.stat(&path("one")).await.unwrap().is_some());
}

#[tokio::test]
async fn refusals_are_said() {
    let server = Ftpd::python(PLAIN);
    std::fs::write(server.files().join("there"), b"kept").unwrap();
    let good = server.config();
    let wrong = FtpsConfig {
        password: Some("wrong".to_owned().into()),
        ..good.clone()
    };
    assert_eq!(kind(open_ftps(wrong).await), FaultKind::AuthFailed);
    let stranger = FtpsConfig {
        tls: TlsOptions::default(),
        ..good.clone()
    };
    let fault = open_ftps(stranger).await.err().unwrap();
    assert_eq!(fault.kind(), &FaultKind::CertificateInvalid, "{fault:?}");
    let other_name = FtpsConfig {
        host: "127.0.0.3".to_owned(),
        ..good.clone()
    };
    assert_eq!(kind(open_ftps(other_name).await), FaultKind::Unreachable);
    let inside = open(ConnectorSpec::Ftps(good.clone()), &EgressGuard::strict()).await;
    assert_eq!(kind(inside), FaultKind::AddressNotAllowed);
    let lines = FtpsConfig {
        user: "ann\r\nDELE there".to_owned(),
        ..good.clone()
    };
    assert_eq!(kind(open_ftps(lines).await), FaultKind::Invalid);

    let guest = FtpsConfig {
        user: "guest".to_owned(),
        ..good
    };
    assert!(!format!("{guest:?}").contains(peer::PASSWORD));
    let far = open_ftps(guest).await.unwrap();
    assert_eq!(take(far.as_ref(), "there", 0).await.unwrap(), b"kept");
    let denied = FaultKind::PermissionDenied;
    let write = far.write(&path("there"), WriteOptions::default()).await;
    assert_eq!(kind(write), denied);
    assert_eq!(kind(far.remove(&path("there")).await), denied);
    assert_eq!(kind(far.mkdir(&path("new")).await), denied);
    let rename = far.rename(&path("there"), &path("x"), Replace::Yes).await;
    assert_eq!(kind(rename), denied);
}

#[tokio::test]
async fn a_probe_goes_through_all_steps() {
    let server = Ftpd::python(PLAIN);
    let options = ProbeOptions {
        folder: path("/"),
        file_name: Some(".bailee-probe".to_owned()),
    };
    let report = probe(ConnectorSpec::Ftps(server.config()), &guard(), &options).await;
    assert!(report.is_ok(), "{report:?}");
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["resolve", "sign_in", "list", "write", "read", "delete"]
    );
}

/// Writes `content` from the last checkpoint on, with a checkpoint each megabyte.
async fn go_on(far: &dyn Connector, content: &Bytes, offset: &mut u64) -> Result<()> {
    let options = WriteOptions {
        offset: *offset,
        ..WriteOptions::default()
    };
    let mut writer = far.write(&path("cut"), options).await?;
    let rest = content.slice(*offset as usize..);
    for piece in rest.chunks(1_000_000) {
        let sent = writer.write(Bytes::copy_from_slice(piece)).await;
        let flushed = if sent.is_ok() {
            writer.flush().await.map(|_| ())
        } else {
            sent
        };
        *offset = writer.confirmed_bytes();
        flushed?;
    }
    writer.finish().await.map(|_| ())
}

async fn read_on(far: &dyn Connector, got: &mut Vec<u8>) -> Result<()> {
    let from = ReadFrom::offset(got.len() as u64);
    let mut stream = far.read(&path("cut"), from).await?;
    while let Some(piece) = stream.try_next().await? {
        got.extend_from_slice(&piece);
    }
    Ok(())
}

#[tokio::test]
async fn cut_lines_are_transient_and_the_transfer_goes_on() {
    const CUTS_MAX: usize = 400;
    let server = Ftpd::python(PLAIN);
    let content = bytes(8_000_000);
    let _relay = cutting::relay(&server, 77_777).await;
    for _ in 0..2 {
        let through = FtpsConfig {
            host: cutting::ADDRESS.to_owned(),
            ..server.config()
        };
        let (mut offset, mut got, mut cuts, mut is_written) = (0, Vec::new(), 0, false);
        while got.len() < content.len() {
            let tried = async {
                let far = open_ftps(through.clone()).await?;
                if !is_written {
                    go_on(far.as_ref(), &content, &mut offset).await?;
                    is_written = true;
                }
                read_on(far.as_ref(), &mut got).await
            };
            if let Err(fault) = tried.await {
                assert!(fault.is_transient(), "{fault:?}");
                cuts += 1;
                assert!(cuts < CUTS_MAX, "it never ends: {offset}, {}", got.len());
            }
        }
        assert!(cuts > 0, "no line was cut");
        assert!(got == content, "other bytes came back");
        assert!(std::fs::read(server.files().join("cut")).unwrap() == content);
        assert_eq!(std::fs::read_dir(server.files()).unwrap().count(), 1);
    }
}
