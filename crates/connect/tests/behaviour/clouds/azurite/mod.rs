//! Azurite, the service's own emulator, with TLS, and the service's own Python client.

use std::process::Command;

use bailee_connect::{
    AzureBlobConfig, AzureCredential, Connector, ConnectorSpec, FaultKind, ProbeOptions, ReadFrom,
    Result, WriteOptions, open, probe,
};
use bytes::Bytes;

use super::driver::{LINE_BYTES, agree_with_the_services_client, lose_nothing};
use super::outside::{Program, clock, here, node, printed, python};
use crate::cutting::Cutting;
use crate::suite::{bytes, kind, put, suite};
use crate::{guard, path};

const PROGRAM: &str = "tests/node/node_modules/azurite/dist/src/blob/main.js";
const ACCOUNT: &str = "bailee";
/// 64 bytes, as the service's keys are.
const KEY: &str =
    "a2V5IG9mIHRoZSB0ZXN0cywgNjQgYnl0ZXMgbG9uZywgd2hpY2ggb3BlbnMgbm90aGluZyBlbHNlIGF0IGFsbC4uLi4h";
const CONTAINER: &str = "box";

struct Azurite(Program);

impl Azurite {
    fn start() -> Self {
        let program = Program::start(|port, certificate, key| {
            let mut command = node(PROGRAM);
            command
                .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"))
                // With a signature it reads the source of a copy over a line of its own, to itself.
                .env("NODE_EXTRA_CA_CERTS", certificate)
                .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()])
                .args(["--inMemoryPersistence", "--silent", "--disableTelemetry"])
                // The service's own client is newer than this emulator, which also knows no CRC-64 and then refuses it.
                .args(["--skipApiVersionCheck", "--loose"])
                .arg("--cert")
                .arg(certificate)
                .arg("--key")
                .arg(key);
            command
        });
        let server = Self(program);
        printed(&mut server.client("make", &[]));
        server
    }

    /// The service's own client.
    fn client(&self, verb: &str, rest: &[&str]) -> Command {
        let mut command = python();
        command
            .arg(here("clouds/azurite/outside.py"))
            .arg(format!("https://127.0.0.1:{}", self.0.port))
            .arg(self.0.certificate())
            .args([ACCOUNT, KEY, CONTAINER, verb])
            .args(rest);
        command
    }

    fn config(&self, port: u16) -> AzureBlobConfig {
        let credential = AzureCredential::SharedKey(KEY.to_owned().into());
        AzureBlobConfig {
            endpoint: format!("https://127.0.0.1:{port}/{ACCOUNT}").parse().ok(),
            tls: self.0.tls(),
            ..AzureBlobConfig::new(ACCOUNT, CONTAINER, credential, clock())
        }
    }

    async fn open(&self) -> Box<dyn Connector> {
        begin(self.config(self.0.port)).await.unwrap()
    }
}

async fn begin(config: AzureBlobConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::AzureBlob(Box::new(config)), &guard()).await
}

#[tokio::test]
async fn the_suite_holds_for_azurite() {
    let server = Azurite::start();
    suite(server.open().await.as_ref()).await;
    let beneath = AzureBlobConfig {
        prefix: Some(path("in/here")),
        ..server.config(server.0.port)
    };
    suite(begin(beneath).await.unwrap().as_ref()).await;
    assert_eq!(printed(&mut server.client("names", &[])), "");
}

#[tokio::test]
async fn the_suite_holds_for_azurite_with_a_signature() {
    let server = Azurite::start();
    let signature = printed(&mut server.client("sign", &["racwdl"]));
    let signed = AzureBlobConfig {
        credential: AzureCredential::Sas(signature.into()),
        ..server.config(server.0.port)
    };
    let shown = format!("{signed:?}");
    assert!(!shown.contains("sig="), "{shown}");
    suite(begin(signed).await.unwrap().as_ref()).await;
}

#[tokio::test]
async fn cut_lines_to_azurite_lose_nothing() {
    let server = Azurite::start();
    let cutting = Cutting::start(server.0.port, 0x5eed_0001, usize::MAX, LINE_BYTES).await;
    let straight = server.open().await;
    let far = loop {
        if let Ok(far) = begin(server.config(cutting.port)).await {
            break far;
        }
    };
    let client = |verb: &str, rest: &[&str]| server.client(verb, rest);
    lose_nothing(
        &cutting,
        far.as_ref(),
        straight.as_ref(),
        bytes(60_000_011),
        client,
    )
    .await;
}

#[tokio::test]
async fn the_services_own_client_reads_and_writes_the_same() {
    let server = Azurite::start();
    let far = server.open().await;
    let client = |verb: &str, rest: &[&str]| server.client(verb, rest);
    agree_with_the_services_client(far.as_ref(), server.0.folder.path(), client).await;
}

#[tokio::test]
async fn wrong_credentials_and_places_are_told_apart() {
    let server = Azurite::start();
    let good = server.config(server.0.port);
    let wrong_key = AzureBlobConfig {
        credential: AzureCredential::SharedKey("d3Jvbmc=".to_owned().into()),
        ..good.clone()
    };
    assert_eq!(kind(begin(wrong_key).await), FaultKind::AuthFailed);
    let nowhere = AzureBlobConfig {
        container: "no-such".to_owned(),
        ..good.clone()
    };
    assert_eq!(kind(begin(nowhere).await), FaultKind::NotFound);
    let untrusted = AzureBlobConfig {
        tls: bailee_connect::TlsOptions::default(),
        ..good.clone()
    };
    assert_eq!(kind(begin(untrusted).await), FaultKind::CertificateInvalid);
    let signature = printed(&mut server.client("sign", &["rl"]));
    let reader = AzureBlobConfig {
        credential: AzureCredential::Sas(signature.into()),
        ..good.clone()
    };
    let far = begin(reader).await.unwrap();
    let mut writer = far
        .write(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write(Bytes::from_static(b"1")).await.unwrap();
    assert_eq!(kind(writer.finish().await), FaultKind::PermissionDenied);

    let options = ProbeOptions {
        folder: path("/"),
        file_name: Some(".bailee-probe".to_owned()),
    };
    let report = probe(ConnectorSpec::AzureBlob(Box::new(good)), &guard(), &options).await;
    assert!(report.is_ok(), "{report:?}");
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["resolve", "sign_in", "list", "write", "read", "delete"]
    );
}

#[tokio::test]
async fn a_stranger_of_a_version_is_noticed_in_the_middle() {
    let server = Azurite::start();
    let far = server.open().await;
    put(far.as_ref(), "a", bytes(1000)).await;
    let from = ReadFrom {
        offset: 0,
        version: Some("\"0x1\"".to_owned()),
    };
    assert_eq!(kind(far.read(&path("a"), from).await), FaultKind::Changed);
}
