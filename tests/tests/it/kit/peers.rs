//! Far systems of other makers. Each has its own folder, port and certificate.
#![expect(
    clippy::disallowed_methods,
    reason = "a test may start a server and wait for it"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::{LOOK_EVERY, PATIENCE};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Of the storage account `bailee`: 64 bytes, as the service's keys are.
pub(crate) const AZURE_KEY: &str =
    "a2V5IG9mIHRoZSB0ZXN0cywgNjQgYnl0ZXMgbG9uZywgd2hpY2ggb3BlbnMgbm90aGluZyBlbHNlIGF0IGFsbC4uLi4h";
/// What opens the emulator of Google Cloud Storage.
pub(crate) const GCS_TOKEN: &str = "ya29.of-the-tests";
/// What opens the servers that know passwords, for `acme` or `ann`.
pub(crate) const PASSWORD: &str = "open sesame";

/// A running server; it ends when dropped.
pub(crate) struct Peer {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
}

impl Peer {
    /// A store that speaks S3, without TLS as this machine's own addresses may, with the empty bucket `box`.
    pub(crate) async fn moto() -> Self {
        let store = Self::start(|_, port| {
            let mut command = python();
            command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", port]);
            command
        })
        .await;
        let bucket = format!("{}/box", store.url());
        let made = reqwest::Client::new().put(bucket).send().await.unwrap();
        assert!(made.status().is_success(), "{}", store.log());
        store
    }

    /// Azurite, with the empty container `box` of the account `bailee`, whose key is [`AZURE_KEY`].
    pub(crate) async fn azurite() -> Self {
        let server = Self::start(|_, port| {
            let mut command = Command::new("node");
            command
                .arg(project(
                    "tests/node/node_modules/azurite/dist/src/blob/main.js",
                ))
                .env("AZURITE_ACCOUNTS", format!("bailee:{AZURE_KEY}"))
                .args(["--blobHost", "127.0.0.1", "--blobPort", port])
                .args(["--inMemoryPersistence", "--silent", "--disableTelemetry"])
                .args(["--skipApiVersionCheck", "--loose"]);
            command
        })
        .await;
        let made = python()
            .arg(project(
                "crates/connect/tests/behaviour/clouds/azurite/outside.py",
            ))
            .arg(server.url())
            .arg(server.at("cert.pem"))
            .args(["bailee", AZURE_KEY, "box", "make"])
            .status()
            .unwrap();
        assert!(made.success(), "{}", server.log());
        server
    }

    /// An emulator of Google Cloud Storage, with the empty bucket `box`; it has a certificate.
    pub(crate) async fn gcs() -> Self {
        Self::start(|folder, port| {
            let mut command = python();
            command
                .arg(project(
                    "crates/connect/tests/behaviour/clouds/gcs/emulator.py",
                ))
                .arg(port)
                .args([folder.join("cert.pem"), folder.join("key.pem")])
                .args([GCS_TOKEN, "box"]);
            command
        })
        .await
    }

    /// `WsgiDAV` for `acme`, at `/dav`.
    pub(crate) async fn webdav() -> Self {
        Self::start(|folder, port| {
            let config = format!(
                r#"{{"host": "127.0.0.1", "port": {port}, "provider_mapping": {{"/dav": "{}"}},
                "http_authenticator": {{"accept_basic": true, "accept_digest": false, "default_to_digest": false}},
                "simple_dc": {{"user_mapping": {{"*": {{"acme": {{"password": "{PASSWORD}"}}}}}}}},
                "dir_browser": {{"enable": false}}, "lock_storage": null, "property_manager": null}}"#,
                folder.join("files").display()
            );
            fs::write(folder.join("config.json"), config).unwrap();
            let mut command = Command::new(project(".venv/bin/wsgidav"));
            command.arg("--config").arg(folder.join("config.json"));
            command
        })
        .await
    }

    /// nginx that takes files from `acme` at `/basic/`; it has a certificate.
    pub(crate) async fn nginx() -> Self {
        Self::start(|folder, port| {
            let config = include_str!("../../../../crates/connect/tests/behaviour/nginx.conf")
                .replace("@folder@", &folder.display().to_string())
                .replace("@port@", port);
            let files = [
                ("nginx.conf", config),
                ("users", format!("acme:{{PLAIN}}{PASSWORD}\n")),
            ];
            for (name, text) in files {
                fs::write(folder.join(name), text).unwrap();
            }
            let mut command = Command::new("/usr/sbin/nginx");
            command.args(["-e", "stderr", "-p"]).arg(folder);
            command.arg("-c").arg(folder.join("nginx.conf"));
            command
        })
        .await
    }

    /// pyftpdlib for `ann`, with explicit TLS; it has a certificate.
    pub(crate) async fn ftps() -> Self {
        Self::start(|folder, port| {
            let first: u16 = port.parse().unwrap();
            // Ports for data lie below those that the kernel gives out.
            let passive = 20_000 + first % 10_000;
            let options = serde_json::json!({
                "port": first, "files": folder.join("files"), "password": PASSWORD,
                "certificate": folder.join("cert.pem"), "key": folder.join("key.pem"),
                "passive_from": passive, "passive_to": passive + 24, "has_mlst": true, "is_implicit": false,
            });
            let mut command = python();
            command
                .arg(project("crates/connect/tests/behaviour/ftps/pyftpd.py"))
                .arg(options.to_string());
            command
        })
        .await
    }

    /// Its address, without TLS.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its address, with TLS.
    pub(crate) fn https(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Its certificate, which signed itself.
    pub(crate) fn ca_pem(&self) -> String {
        fs::read_to_string(self.at("cert.pem")).unwrap()
    }

    /// Starts what `make` says, given a folder with `files`, `cert.pem` and `key.pem`, and a port.
    async fn start(make: impl FnOnce(&Path, &str) -> Command) -> Self {
        let folder = tempfile::Builder::new().prefix("peer").tempdir().unwrap();
        for name in ["files/in", "scratch"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        for (name, text) in [
            ("cert.pem", &certificate),
            ("key.pem", &key),
            ("server.pem", &certificate),
            ("server.key", &key),
            ("authority.pem", &certificate),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = make(folder.path(), &port.to_string())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut peer = Self {
            child,
            folder,
            port,
        };
        peer.wait().await;
        peer
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    async fn wait(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {}", self.log());
            assert!(
                begun.elapsed() < PATIENCE,
                "the server does not answer: {}",
                self.log()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The interpreter that `cargo xtask test` sets up.
pub(crate) fn python() -> Command {
    Command::new(project(".venv/bin/python"))
}

/// A file of the clone, which `cargo xtask test` makes.
fn project(place: &str) -> PathBuf {
    let path = Path::new(ROOT).join(place);
    assert!(
        path.exists(),
        "{place} is missing: run `cargo xtask test`, which installs it"
    );
    path
}
