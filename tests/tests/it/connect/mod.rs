//! The connector to another Bailee, against the real one: the suite of all connectors, and a line that is cut.

use bailee_connect::{
    BaileeConfig, Connector, ConnectorSpec, EgressGuard, EntryKind, FaultKind, RemotePath, Replace,
    TlsOptions, WriteOptions, open,
};
use bytes::Bytes;
use serde_json::json;

use crate::kit::Server;

#[path = "../../../../crates/connect/tests/behaviour/cutting.rs"]
mod cutting;
#[path = "../../../../crates/connect/tests/behaviour/suite.rs"]
mod suite;

use cutting::{Cutting, put_until_done, take_until_done};
use suite::{bytes, kind, put, suite, take};

fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

fn guard() -> EgressGuard {
    EgressGuard::strict().allowing_loopback()
}

/// The folder `/far` of `server`, by way of `port`.
fn spec(server: &Server, port: u16) -> ConnectorSpec {
    let url = format!("https://127.0.0.1:{port}").parse().unwrap();
    let key = server.admin().key().to_owned();
    let tls = TlsOptions {
        extra_roots_pem: std::fs::read_to_string(server.ca_file()).unwrap(),
        ..TlsOptions::default()
    };
    ConnectorSpec::Bailee(BaileeConfig {
        base_path: Some(path("/far")),
        tls,
        ..BaileeConfig::new(url, key.into())
    })
}

async fn start() -> (Server, Box<dyn Connector>) {
    let server = Server::start().await;
    let admin = server.admin();
    let folder = json!({"path": "/far"});
    admin.post("/folders").json(&folder).send().await.is(201);
    let far = open(spec(&server, server.address().port()), &guard())
        .await
        .unwrap();
    (server, far)
}

#[tokio::test]
async fn the_suite_holds_for_another_bailee() {
    let (_server, far) = start().await;
    let can = far.capabilities();
    assert!(can.appears_whole && can.has_folders && can.can_write_at && can.can_copy);
    suite(far.as_ref()).await;
}

#[tokio::test]
async fn a_folder_moves_and_what_is_taken_is_kept() {
    let (_server, far) = start().await;
    far.mkdir(&path("box")).await.unwrap();
    put(far.as_ref(), "box/a", Bytes::from_static(b"a")).await;
    put(far.as_ref(), "file", Bytes::from_static(b"f")).await;
    let (folder, file) = (path("box"), path("file"));
    for replace in [Replace::Yes, Replace::No] {
        assert!(far.rename(&folder, &file, replace).await.is_err());
        assert!(far.rename(&file, &folder, replace).await.is_err());
    }
    assert_eq!(kind(far.mkdir(&file).await), FaultKind::Exists);
    assert_eq!(kind(far.remove(&folder).await), FaultKind::NotFound);
    far.rename(&folder, &path("moved"), Replace::No)
        .await
        .unwrap();
    assert_eq!(take(far.as_ref(), "moved/a", 0).await.unwrap(), b"a");
    let found = far.stat(&path("moved")).await.unwrap().unwrap();
    assert_eq!(found.kind, EntryKind::Folder);
}

#[tokio::test]
async fn completing_twice_gives_one_file() {
    let (_server, far) = start().await;
    let content = bytes(9_000_000);
    let options = WriteOptions {
        size_hint: Some(9_000_000),
        ..WriteOptions::default()
    };
    let mut writer = far.write(&path("twice"), options.clone()).await.unwrap();
    writer.write(content.clone()).await.unwrap();
    let token = writer.token();
    assert_eq!(writer.finish().await.unwrap(), 9_000_000);
    // As after a crash between the answer and the note that it came.
    let again = WriteOptions {
        offset: 9_000_000,
        token,
        ..options
    };
    let writer = far.write(&path("twice"), again.clone()).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), 9_000_000);
    assert!(take(far.as_ref(), "twice", 0).await.unwrap() == content);
    far.remove(&path("twice")).await.unwrap();
    let late = match far.write(&path("twice"), again).await {
        Ok(writer) => writer.finish().await.err(),
        Err(fault) => Some(fault),
    };
    assert_eq!(late.unwrap().kind(), &FaultKind::NotFound);
}

#[tokio::test]
async fn a_file_gets_there_over_a_line_that_is_cut() {
    let (server, far) = start().await;
    let port = server.address().port();
    let content = bytes(40_000_000);
    for seed in [1, 2] {
        let line = Cutting::start(port, seed, 12, 0..20_000_000).await;
        let tries = put_until_done(&spec(&server, line.port), "cut.bin", &content).await;
        assert!(line.cuts() > 0 && tries > 1, "nothing was cut");
        let line = Cutting::start(port, seed + 100, 12, 0..10_000_000).await;
        assert!(take_until_done(&spec(&server, line.port), "cut.bin").await == content);
        assert!(line.cuts() > 0);
    }
    let listing = far.list(&path("/"), 10).await.unwrap();
    assert_eq!(listing.entries.len(), 1);
    assert_eq!(kind(far.mkdir(&path("cut.bin")).await), FaultKind::Exists);
}
