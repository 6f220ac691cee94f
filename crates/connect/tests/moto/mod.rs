//! A store that speaks S3 for tests: moto's server over TLS, which checks every signature, on its own port.
#![expect(
    clippy::disallowed_methods,
    reason = "a test may start a server and wait for it"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// What it takes to start in the worst case.
const START_TIME_MAX: Duration = Duration::from_mins(1);
/// Actions that make the bucket, the user, its policy and its key.
const UNCHECKED_ACTIONS: &str = "4";

/// A running store with the bucket `box`; it ends when dropped.
pub struct Moto {
    child: Child,
    folder: TempDir,
    pub port: u16,
    pub certificate_pem: String,
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl Moto {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("moto").tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate_pem = made.cert.pem();
        fs::write(folder.path().join("cert.pem"), &certificate_pem).unwrap();
        fs::write(
            folder.path().join("key.pem"),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(python())
            .args([
                "-m",
                "moto.server",
                "-H",
                "127.0.0.1",
                "-s",
                "-p",
                &port.to_string(),
            ])
            .arg("-c")
            .arg(folder.path().join("cert.pem"))
            .arg("-k")
            .arg(folder.path().join("key.pem"))
            .env("INITIAL_NO_AUTH_ACTION_COUNT", UNCHECKED_ACTIONS)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut store = Self {
            child,
            folder,
            port,
            certificate_pem,
            access_key_id: "none".to_owned(),
            secret_access_key: "none".to_owned(),
        };
        store.wait();
        let key = store.other(&["prepare"]);
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap().to_owned();
        store.access_key_id = text("id");
        store.secret_access_key = text("secret");
        store
    }

    /// What another program (boto3) sees or does: see `store.py`.
    pub fn other(&self, command: &[&str]) -> Value {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/moto/store.py");
        let output = Command::new(python())
            .arg(program)
            .arg(format!("https://127.0.0.1:{}", self.port))
            .arg(self.folder.path().join("cert.pem"))
            .args([&self.access_key_id, &self.secret_access_key])
            .args(command)
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{command:?}: {words}\n{}",
            self.log()
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn wait(&mut self) {
        let end = Instant::now() + START_TIME_MAX;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "moto ended: {}", self.log());
            assert!(Instant::now() < end, "moto does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> PathBuf {
    let found = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../.venv/bin/python"
    ));
    assert!(
        found.exists(),
        "{} is missing: run `cargo xtask test`, which installs moto and boto3",
        found.display()
    );
    found
}
