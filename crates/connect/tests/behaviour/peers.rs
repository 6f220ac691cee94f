//! Real web servers for tests: nginx, and WsgiDAV on cheroot. Each has its own folder, port and certificate.
#![expect(
    clippy::disallowed_methods,
    reason = "a test may start a server and wait for it"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bailee_connect::{ClientIdentity, TlsOptions};
use tempfile::TempDir;
use url::Url;

use super::authority::Authority;

const NGINX: &str = "/usr/sbin/nginx";
const WSGIDAV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.venv/bin/wsgidav");

/// A running server; it ends when dropped.
pub(crate) struct Peer {
    child: Child,
    folder: TempDir,
    authority: Authority,
    pub(crate) port: u16,
}

impl Peer {
    /// An nginx that takes files from `acme` with the password `open sesame` below `/basic`, and gives them below other
    /// names: see its configuration.
    pub(crate) fn nginx() -> Self {
        assert!(
            Path::new(NGINX).exists(),
            "{NGINX} is missing: run `cargo xtask test`, which installs nginx"
        );
        let (folder, authority, port) = place();
        let at = folder.path().display().to_string();
        let config = include_str!("nginx.conf")
            .replace("@folder@", &at)
            .replace("@port@", &port.to_string());
        fs::write(folder.path().join("users"), "acme:{PLAIN}open sesame\n").unwrap();
        fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let mut command = Command::new(NGINX);
        command.args(["-e", "stderr", "-p", &at, "-c"]);
        command.arg(folder.path().join("nginx.conf"));
        Self::start(command, (folder, authority, port))
    }

    /// A `WsgiDAV` for `acme` with the password `open sesame`.
    pub(crate) fn wsgidav() -> Self {
        assert!(
            Path::new(WSGIDAV).exists(),
            "{WSGIDAV} is missing: run `cargo xtask test`, which installs it"
        );
        let (folder, authority, port) = place();
        let at = folder.path().display();
        let config = format!(
            r#"{{"host": "127.0.0.1", "port": {port}, "provider_mapping": {{"/dav": "{at}/files"}},
            "http_authenticator": {{"accept_basic": true, "accept_digest": false, "default_to_digest": false}},
            "simple_dc": {{"user_mapping": {{"*": {{"acme": {{"password": "open sesame"}}}}}}}},
            "dir_browser": {{"enable": false}}, "lock_storage": null, "property_manager": null, "verbose": 1,
            "ssl_adapter": "builtin", "ssl_certificate": "{at}/server.pem", "ssl_private_key": "{at}/server.key"}}"#
        );
        fs::write(folder.path().join("config.json"), config).unwrap();
        let mut command = Command::new(WSGIDAV);
        command
            .arg("--config")
            .arg(folder.path().join("config.json"));
        Self::start(command, (folder, authority, port))
    }

    fn start(mut command: Command, (folder, authority, port): (TempDir, Authority, u16)) -> Self {
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut peer = Self {
            child,
            folder,
            authority,
            port,
        };
        peer.wait();
        peer
    }

    /// Its files as they are on this machine.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// `path` at a peer by way of `port`: the peer's own, or one that leads to it.
    pub(crate) fn url(port: u16, path: &str) -> Url {
        format!("https://127.0.0.1:{port}{path}").parse().unwrap()
    }

    /// Trusting it, and showing nothing.
    pub(crate) fn tls(&self) -> TlsOptions {
        TlsOptions {
            extra_roots_pem: self.authority.pem.clone(),
            ..TlsOptions::default()
        }
    }

    /// Trusting it, and showing a certificate that it trusts.
    pub(crate) fn mutual_tls(&self) -> TlsOptions {
        let identity = self.authority.client();
        TlsOptions {
            identity: Some(ClientIdentity {
                certificates_pem: identity.certificate,
                key_pem: identity.key.into(),
            }),
            ..self.tls()
        }
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(1) {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            let has_ended = self.child.try_wait().unwrap().is_some();
            assert!(!has_ended, "the server ended: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        unreachable!("the server did not start: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with `files` and certificates in it, their authority, and a free port.
fn place() -> (TempDir, Authority, u16) {
    let folder = tempfile::Builder::new().prefix("peer").tempdir().unwrap();
    for name in ["files", "scratch"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let authority = Authority::new();
    let server = authority.server();
    let write = |name, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("server.pem", &server.certificate);
    write("server.key", &server.key);
    write("authority.pem", &authority.pem);
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    (folder, authority, port)
}
