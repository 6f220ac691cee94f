//! Real FTPS servers for tests: pyftpdlib from the project's Python environment, and vsftpd from Debian.
#![expect(
    clippy::disallowed_methods,
    reason = "a test may start a server and wait for it"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bailee_connect::{FtpsConfig, FtpsMode, TlsOptions};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "open sesame ä";
const VSFTPD: &str = "/usr/sbin/vsftpd";
/// How many ports a server may open for data at a time.
const PASSIVE_PORTS: u16 = 24;

/// A running server; it ends when dropped.
pub(crate) struct Ftpd {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
    pub(crate) passive_ports: std::ops::Range<u16>,
    user: &'static str,
    certificate_pem: String,
    mode: FtpsMode,
}

/// What pyftpdlib is to be like.
#[derive(Clone, Copy)]
pub(crate) struct Like {
    pub(crate) mode: FtpsMode,
    pub(crate) has_mlst: bool,
}

impl Ftpd {
    pub(crate) fn python(like: Like) -> Self {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
        assert!(
            python.exists(),
            "{} is missing: run `cargo xtask test`, which makes it",
            python.display()
        );
        let room = Room::new();
        let options = format!(
            r#"{{"port": {}, "files": "{}", "certificate": "{}", "key": "{}", "password": "{PASSWORD}",
            "passive_from": {}, "passive_to": {}, "has_mlst": {}, "is_implicit": {}}}"#,
            room.port,
            room.at("files").display(),
            room.at("certificate.pem").display(),
            room.at("key.pem").display(),
            room.passive_ports.start,
            room.passive_ports.end,
            like.has_mlst,
            like.mode == FtpsMode::Implicit,
        );
        let log = fs::File::create(room.at("log")).unwrap();
        let mut child = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/ftps/pyftpd.py"))
            .arg(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let said = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
        assert!(
            said.is_ok() && line.trim() == "ready",
            "pyftpdlib did not start (`cargo xtask test` installs it): {}",
            text(&room.at("log"))
        );
        room.with(child, "ann", like.mode)
    }

    /// vsftpd, which has data connections resume the session of their control connection. `None` where we are not root:
    /// it signs users in through PAM and then takes on their identity, and neither is allowed to others. What it would
    /// show is then shown by pyftpdlib only in part: the resumption, and a server without `MLSD`.
    pub(crate) fn vsftpd(mode: FtpsMode) -> Option<Self> {
        if output("id", "-u") != "0" {
            println!("not root: vsftpd cannot sign anybody in, so it is left out");
            return None;
        }
        assert!(
            Path::new(VSFTPD).exists(),
            "{VSFTPD} is missing: run `cargo xtask test`, which installs it"
        );
        let room = Room::new();
        let at = room.folder.path().display();
        let user = "daemon"; // on every Debian, with a home that exists
        fs::create_dir(room.at("empty")).unwrap();
        // The server asks PAM as root, and the service `su` lets root become anybody: no account need be made.
        let config = format!(
            "listen=YES\nlisten_address=127.0.0.1\nlisten_port={}\nbackground=NO\nanonymous_enable=NO\nlocal_enable=YES\n\
             write_enable=YES\nlocal_root={at}/files\nlocal_umask=022\npam_service_name=su\nsession_support=NO\n\
             secure_chroot_dir={at}/empty\nseccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\n\
             pasv_address=192.0.2.1\npasv_min_port={}\npasv_max_port={}\nssl_enable=YES\nforce_local_logins_ssl=YES\n\
             force_local_data_ssl=YES\nrequire_ssl_reuse=YES\nstrict_ssl_read_eof=YES\nssl_ciphers=HIGH\n\
             rsa_cert_file={at}/certificate.pem\nrsa_private_key_file={at}/key.pem\nimplicit_ssl={}\n\
             xferlog_enable=YES\nlog_ftp_protocol=YES\nvsftpd_log_file={at}/log\ndebug_ssl=YES\n",
            room.port,
            room.passive_ports.start,
            room.passive_ports.end - 1,
            if mode == FtpsMode::Implicit {
                "YES"
            } else {
                "NO"
            },
        );
        fs::write(room.at("config"), config).unwrap();
        let opened = Command::new("chmod")
            .arg("755")
            .arg(room.folder.path())
            .status();
        assert!(opened.unwrap().success());
        let given = Command::new("chown")
            .arg(user)
            .arg(room.at("files"))
            .status();
        assert!(given.unwrap().success());
        let child = Command::new(VSFTPD)
            .arg(room.at("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = room.with(child, user, mode);
        server.wait();
        Some(server)
    }

    /// Signed in, and at home in the folder that tests may use.
    pub(crate) fn config(&self) -> FtpsConfig {
        FtpsConfig {
            mode: self.mode,
            password: Some(PASSWORD.to_owned().into()),
            tls: TlsOptions {
                extra_roots_pem: self.certificate_pem.clone(),
                ..TlsOptions::default()
            },
            base: (self.user == "ann").then(|| "/".parse().unwrap()),
            ..FtpsConfig::new("127.0.0.1", self.port, self.user)
        }
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    pub(crate) fn log(&self) -> String {
        text(&self.folder.path().join("log"))
    }

    fn wait(&self) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        unreachable!("the server did not start: {}", self.log());
    }
}

impl Drop for Ftpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A place for a server, with ports and a certificate.
struct Room {
    folder: TempDir,
    port: u16,
    passive_ports: std::ops::Range<u16>,
    certificate_pem: String,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("ftpd").tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        let names = ["127.0.0.1", "127.0.0.2"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate_pem = made.cert.pem();
        fs::write(folder.path().join("certificate.pem"), &certificate_pem).unwrap();
        fs::write(
            folder.path().join("key.pem"),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
        let (port, passive_ports) = free_ports();
        Self {
            folder,
            port,
            passive_ports,
            certificate_pem,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn with(self, child: Child, user: &'static str, mode: FtpsMode) -> Ftpd {
        Ftpd {
            child,
            folder: self.folder,
            port: self.port,
            passive_ports: self.passive_ports,
            user,
            certificate_pem: self.certificate_pem,
            mode,
        }
    }
}

/// A port that is free, and a row of ports that are, below those that the kernel gives out by itself.
fn free_ports() -> (u16, std::ops::Range<u16>) {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let any = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = any.local_addr().unwrap().port();
    let places = 12_000 / (PASSIVE_PORTS + 1);
    for at in 0..places {
        let first = 20_000 + (port + at * 7) % places * (PASSIVE_PORTS + 1);
        let row = first + 1..first + 1 + PASSIVE_PORTS;
        // The first one of a row is held by nobody but its server, which so marks the row as its own.
        if (first..row.end).all(is_free) {
            return (first, row);
        }
    }
    unreachable!("no row of free ports");
}

fn output(program: &str, argument: &str) -> String {
    let done = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
