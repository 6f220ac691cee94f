//! A real OpenSSH server for tests: own keys, own port, key sign-in, the SFTP that is built in.
#![expect(
    clippy::disallowed_methods,
    reason = "a test may start a server and wait for it"
)]

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

/// A running server; it ends when dropped.
pub(crate) struct Sshd {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
    pub(crate) user: String,
}

impl Sshd {
    /// Starts a server. `sftp_options` go to its SFTP, such as `-R` for read-only.
    pub(crate) fn start(sftp_options: &str) -> Self {
        assert!(
            Path::new(SSHD).exists(),
            "{SSHD} is missing: run `cargo xtask test`, which installs OpenSSH"
        );
        let folder = tempfile::Builder::new().prefix("sshd").tempdir().unwrap();
        let user = output("id", &["-un"]);
        if user == "root" {
            fs::create_dir_all("/run/sshd").unwrap(); // where a server run by root parks its unprivileged half
        }
        fs::create_dir(folder.path().join("files")).unwrap();
        keygen(folder.path(), "host", &["-t", "ed25519", "-N", ""]);
        keygen(folder.path(), "ed25519", &["-t", "ed25519", "-N", ""]);
        keygen(
            folder.path(),
            "locked",
            &["-t", "ed25519", "-N", "open sesame"],
        );
        keygen(
            folder.path(),
            "ecdsa",
            &["-t", "ecdsa", "-b", "256", "-N", ""],
        );
        keygen(folder.path(), "rsa", &["-t", "rsa", "-b", "2048", "-N", ""]);
        keygen(folder.path(), "stranger", &["-t", "ed25519", "-N", ""]);
        let known = ["ed25519", "locked", "ecdsa", "rsa"]
            .map(|name| text(&folder.path().join(format!("{name}.pub"))));
        fs::write(folder.path().join("authorized"), known.concat()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let at = folder.path().display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\nAuthorizedKeysFile {at}/authorized\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n\
             Subsystem sftp internal-sftp {sftp_options}\nLogLevel ERROR\n"
        );
        fs::write(folder.path().join("config"), config).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self {
            child,
            folder,
            port,
            user,
        };
        server.wait();
        server
    }

    /// The folder that tests may use, as it is on this machine and on the server.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// Takes this public key from now on, and no other.
    pub(crate) fn authorize_only(&self, line: &str) {
        fs::write(self.folder.path().join("authorized"), format!("{line}\n")).unwrap();
    }

    /// The private key `name`: `ed25519`, `locked` (passphrase `open sesame`), `ecdsa`, `rsa`, or `stranger`, unknown here.
    pub(crate) fn key(&self, name: &str) -> String {
        text(&self.folder.path().join(name))
    }

    /// The host key in OpenSSH's one-line form.
    pub(crate) fn host_key(&self) -> String {
        text(&self.folder.path().join("host.pub")).trim().to_owned()
    }

    /// The host key's fingerprint as `ssh-keygen` shows it.
    pub(crate) fn host_fingerprint(&self) -> String {
        let shown = output(
            "ssh-keygen",
            &[
                "-lf",
                &self.folder.path().join("host.pub").display().to_string(),
            ],
        );
        shown.split(' ').nth(1).unwrap().to_owned()
    }

    fn wait(&self) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            let mut banner = [0; 4];
            let greeted = TcpStream::connect(("127.0.0.1", self.port))
                .and_then(|mut line| line.read_exact(&mut banner));
            if greeted.is_ok() && &banner == b"SSH-" {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        unreachable!(
            "sshd did not start: {}",
            text(&self.folder.path().join("log"))
        );
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keygen(folder: &Path, name: &str, options: &[&str]) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-f"])
        .arg(folder.join(name))
        .args(options)
        .status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "ssh-keygen failed: run `cargo xtask test`, which installs OpenSSH"
    );
}

fn output(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
