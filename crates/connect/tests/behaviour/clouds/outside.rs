//! Far systems that tests start as programs: certificate, port, waiting, ending.
#![expect(
    clippy::disallowed_methods,
    reason = "a test may start a server, wait for it, and read the clock"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bailee_connect::{SharedClock, TlsOptions};
use bailee_model::{Clock, Timestamp};
use tempfile::TempDir;

const START_TIME_MAX: Duration = Duration::from_mins(1);

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp::from_ms(since.unwrap().as_millis() as i64)
    }
}

pub(crate) fn clock() -> SharedClock {
    SharedClock::new(Arc::new(WallClock))
}

/// A file or folder of the clone, which `cargo xtask test` makes.
pub(crate) fn project(place: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(place);
    assert!(
        path.exists(),
        "{place} is missing: run `cargo xtask test`, which installs it"
    );
    path
}

pub(crate) fn python() -> Command {
    Command::new(project(".venv/bin/python"))
}

pub(crate) fn here(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/behaviour")
        .join(place)
}

pub(crate) fn node(program: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(project(program));
    command
}

/// A running program with a certificate of its own; it ends when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
}

impl Program {
    /// Starts what `make` says, given a port, a certificate and its key, and waits until it takes connections.
    pub(crate) fn start(make: impl FnOnce(u16, &Path, &Path) -> Command) -> Self {
        let folder = tempfile::Builder::new().prefix("peer").tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let (certificate, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = make(port, &certificate, &key)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut program = Self {
            child,
            folder,
            port,
        };
        program.wait();
        program
    }

    pub(crate) fn tls(&self) -> TlsOptions {
        TlsOptions {
            extra_roots_pem: fs::read_to_string(self.certificate()).unwrap(),
            ..TlsOptions::default()
        }
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < START_TIME_MAX && self.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        unreachable!("the far system did not start: {log}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end and gives what it printed.
pub(crate) fn printed(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}
