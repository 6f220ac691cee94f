//! An emulator of Google Cloud Storage (see `emulator.py`), a token endpoint, and the service's own Python client.

mod grants;

use std::process::Command;
use std::sync::atomic::Ordering;

use bailee_connect::{
    Connector, ConnectorSpec, FaultKind, GcsConfig, GcsCredential, ProbeOptions, Result,
    WriteOptions, open, probe,
};

use self::grants::Grants;
use super::driver::{LINE_BYTES, agree_with_the_services_client, lose_nothing};
use super::outside::{Program, clock, here, printed, python};
use crate::cutting::Cutting;
use crate::suite::{bytes, kind, put, suite};
use crate::{guard, path};

const BUCKET: &str = "box";
const TOKEN: &str = "ya29.of-the-tests";

struct Emulator(Program);

impl Emulator {
    fn start() -> Self {
        Self(Program::start(|port, certificate, key| {
            let mut command = python();
            command
                .arg(here("clouds/gcs/emulator.py"))
                .arg(port.to_string())
                .arg(certificate)
                .arg(key)
                .args([TOKEN, BUCKET]);
            command
        }))
    }

    /// The service's own client.
    fn client(&self, verb: &str, rest: &[&str]) -> Command {
        let mut command = python();
        command
            .arg(here("clouds/gcs/outside.py"))
            .arg(format!("https://127.0.0.1:{}", self.0.port))
            .arg(self.0.certificate())
            .args([TOKEN, BUCKET, verb])
            .args(rest);
        command
    }

    fn config(&self, port: u16) -> GcsConfig {
        let credential = GcsCredential::Bearer(TOKEN.to_owned().into());
        GcsConfig {
            endpoint: format!("https://127.0.0.1:{port}").parse().ok(),
            tls: self.0.tls(),
            ..GcsConfig::new(BUCKET, credential, clock())
        }
    }

    async fn open(&self) -> Box<dyn Connector> {
        begin(self.config(self.0.port)).await.unwrap()
    }
}

async fn begin(config: GcsConfig) -> Result<Box<dyn Connector>> {
    open(ConnectorSpec::Gcs(Box::new(config)), &guard()).await
}

#[tokio::test]
async fn the_suite_holds_for_gcs() {
    let server = Emulator::start();
    suite(server.open().await.as_ref()).await;
    let beneath = GcsConfig {
        prefix: Some(path("in/here")),
        ..server.config(server.0.port)
    };
    suite(begin(beneath).await.unwrap().as_ref()).await;
    assert_eq!(printed(&mut server.client("names", &[])), "");
}

#[tokio::test]
async fn cut_lines_to_gcs_lose_nothing() {
    let server = Emulator::start();
    let cutting = Cutting::start(server.0.port, 0x5eed_0002, usize::MAX, LINE_BYTES).await;
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
        bytes(90_000_011),
        client,
    )
    .await;
}

#[tokio::test]
async fn the_services_own_client_reads_and_writes_the_same_objects() {
    let server = Emulator::start();
    let far = server.open().await;
    let client = |verb: &str, rest: &[&str]| server.client(verb, rest);
    agree_with_the_services_client(far.as_ref(), server.0.folder.path(), client).await;
}

#[tokio::test]
async fn a_service_account_asks_for_one_token_and_keeps_it() {
    let server = Emulator::start();
    let grants = Grants::start(TOKEN).await;
    let config = |file: String| GcsConfig {
        credential: GcsCredential::ServiceAccount(file.into()),
        ..server.config(server.0.port)
    };
    let good = config(grants.key_file());
    let shown = format!("{good:?}");
    assert!(!shown.contains("PRIVATE"), "{shown}");
    let far = begin(good.clone()).await.unwrap();
    for name in ["a", "b", "c"] {
        put(far.as_ref(), name, bytes(1000)).await;
    }
    assert_eq!(grants.given.load(Ordering::SeqCst), 1);
    let report = probe(
        ConnectorSpec::Gcs(Box::new(good)),
        &guard(),
        &ProbeOptions {
            folder: path("/"),
            file_name: Some(".bailee-probe".to_owned()),
        },
    )
    .await;
    assert!(report.is_ok(), "{report:?}");

    let stranger = config(grants.key_file_of_another());
    assert_eq!(kind(begin(stranger).await), FaultKind::AuthFailed);
    let garbled = config("{\"private_key\": \"nonsense\"}".to_owned());
    let fault = begin(garbled).await.unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::Invalid);
    assert!(!format!("{fault:?}").contains("nonsense"));
}

#[tokio::test]
async fn wrong_tokens_and_buckets_are_told_apart() {
    let server = Emulator::start();
    let good = server.config(server.0.port);
    let stranger = GcsConfig {
        credential: GcsCredential::Bearer("ya29.other".to_owned().into()),
        ..good.clone()
    };
    assert_eq!(kind(begin(stranger).await), FaultKind::AuthFailed);
    let nameless = GcsConfig {
        credential: GcsCredential::Anonymous,
        ..good.clone()
    };
    assert_eq!(kind(begin(nameless).await), FaultKind::AuthFailed);
    let nowhere = GcsConfig {
        bucket: "no-such".to_owned(),
        ..good
    };
    assert_eq!(kind(begin(nowhere).await), FaultKind::NotFound);
}

#[tokio::test]
async fn a_session_is_kept_sealed_and_for_one_credential() {
    let server = Emulator::start();
    let far = server.open().await;
    let mut writer = far
        .write(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write(bytes(9_000_000)).await.unwrap();
    let (offset, token) = (writer.confirmed_bytes(), writer.token().unwrap());
    drop(writer);
    assert!(offset > 0);
    for secret in ["upload_id", "127.0.0.1", TOKEN] {
        assert!(!token.contains(secret), "{token}");
    }
    let go_on = WriteOptions {
        offset,
        token: Some(token.clone()),
        ..WriteOptions::default()
    };
    assert_eq!(
        kind(far.write(&path("b"), go_on.clone()).await),
        FaultKind::NotFound
    );
    far.abandon(&path("a"), &token).await.unwrap();
    assert_eq!(
        kind(far.write(&path("a"), go_on).await),
        FaultKind::NotFound
    );
}
