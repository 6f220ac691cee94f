//! Far systems of other makers: a store that speaks S3, without TLS as this machine's own addresses may.
#![expect(
    clippy::disallowed_methods,
    reason = "a test may start a server and wait for it"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::{LOOK_EVERY, PATIENCE};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.venv/bin/python");

/// A running store with the empty bucket `box`; it ends when dropped.
pub(crate) struct Moto {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Moto {
    pub(crate) async fn start() -> Self {
        assert!(
            Path::new(PYTHON).exists(),
            "{PYTHON} is missing: run `cargo xtask test`, which installs moto"
        );
        let folder = tempfile::Builder::new().prefix("moto").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(PYTHON)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p"])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut store = Self {
            child,
            folder,
            port,
        };
        store.wait().await;
        let bucket = format!("{}/box", store.url());
        let made = reqwest::Client::new().put(bucket).send().await.unwrap();
        assert!(made.status().is_success(), "{}", store.log());
        store
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    async fn wait(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "moto ended: {}", self.log());
            assert!(
                begun.elapsed() < PATIENCE,
                "moto does not answer: {}",
                self.log()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
