//! One suite for every connector, and what each of them must do besides.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod authority;
mod bailee;
mod clouds;
mod cutting;
mod fakes;
mod ftps;
mod https;
mod local;
#[path = "../moto/mod.rs"]
mod moto;
mod openssh;
mod peers;
mod s3;
#[path = "../sshd/mod.rs"]
mod sshd;
mod suite;
mod webdav;

use std::path::Path;

use bailee_connect::{
    Connector, ConnectorSpec, EgressGuard, LocalConfig, PrivateKey, ProbeOptions, RemotePath,
    Result, SftpConfig, open, probe,
};
use sshd::Sshd;
use suite::{bytes, kind, put, suite, take};

fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

fn guard() -> EgressGuard {
    EgressGuard::strict().allowing_loopback()
}

fn sftp(server: &Sshd, key: &str) -> SftpConfig {
    SftpConfig {
        private_key: Some(PrivateKey {
            pem: server.key(key).into(),
            passphrase: None,
        }),
        host_key: Some(server.host_key()),
        base: Some(path(server.files().to_str().unwrap())),
        ..SftpConfig::new("127.0.0.1", server.port, server.user.clone())
    }
}

fn local(root: &Path) -> LocalConfig {
    LocalConfig {
        folder: root.to_owned(),
        allowed_roots: vec![root.to_owned()],
    }
}

async fn open_sftp(config: SftpConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::Sftp(config), &guard()).await
}

async fn open_local(config: LocalConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::Local(config), &guard()).await
}

#[tokio::test]
async fn the_suite_holds_for_local_folders() {
    let root = tempfile::tempdir().unwrap();
    suite(open_local(local(root.path())).await.unwrap().as_ref()).await;
}

#[tokio::test]
async fn the_suite_holds_for_openssh() {
    let server = Sshd::start("");
    let far = open_sftp(sftp(&server, "ed25519")).await.unwrap();
    let can = far.capabilities();
    assert!(can.replaces_atomically && can.syncs && can.can_read_at && can.can_write_at);
    suite(far.as_ref()).await;
    far.close().await;
    let fault = far.stat(&path("/")).await.unwrap_err();
    assert!(fault.is_transient(), "{fault:?}");
}

#[tokio::test]
async fn a_probe_shows_each_step() {
    let server = Sshd::start("");
    let options = ProbeOptions {
        folder: path("/"),
        file_name: Some(".bailee-probe".to_owned()),
    };
    let spec = |config| ConnectorSpec::Sftp(config);
    let good = sftp(&server, "ed25519");
    let report = probe(spec(good.clone()), &guard(), &options).await;
    assert!(report.is_ok(), "{report:?}");
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "resolve", "connect", "host_key", "sign_in", "list", "write", "read", "delete"
        ]
    );
    assert_eq!(std::fs::read_dir(server.files()).unwrap().count(), 0);

    let report = probe(
        spec(SftpConfig {
            host_key: None,
            ..good.clone()
        }),
        &guard(),
        &options,
    )
    .await;
    let last = report.steps.last().unwrap();
    assert_eq!(
        (report.steps.len(), last.name.as_str(), last.is_ok),
        (3, "host_key", false)
    );
    assert_eq!(
        report.seen_host_key.as_ref().unwrap().fingerprint,
        server.host_fingerprint()
    );
    assert!(last.fix.is_some());

    let report = probe(spec(sftp(&server, "stranger")), &guard(), &options).await;
    assert_eq!(report.steps.last().unwrap().name.as_str(), "sign_in");
    let report = probe(spec(good), &EgressGuard::strict(), &options).await;
    assert_eq!((report.steps.len(), report.is_ok()), (1, false));

    let root = tempfile::tempdir().unwrap();
    let report = probe(ConnectorSpec::Local(local(root.path())), &guard(), &options).await;
    assert!(report.is_ok(), "{report:?}");
}
