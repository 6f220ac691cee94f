//! A real server in a process of its own.
//!
//! A server that is dropped is stopped by SIGTERM and must then be clean: it ended well, its log has no WARN or ERROR
//! line that the test did not announce, its journal verifies, and every sealed byte opens.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start servers, signal them, and wait for what only a look can tell"
)]

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, Method};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::postgres::Database;
use super::{Api, LOOK_EVERY, PATIENCE};

/// How long a server may take to stop: its drain time and something for a busy machine.
const STOP: Duration = Duration::from_secs(90);

/// A database that its owner has migrated is not new to the server, which then wants the root key from its operator.
const ROOT_KEY: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

/// As whom a command opens PostgreSQL.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Owner,
    Server,
}

/// How a server is started.
#[derive(Default)]
pub(crate) struct Options {
    settings: Vec<(String, String)>,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A setting as in the configuration file: `rate_limits.read`.
    pub(crate) fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }

    /// Starts it.
    pub(crate) async fn start(self) -> Server {
        Server::start_with(self).await
    }
}

/// A server and its place on disk.
pub(crate) struct Server {
    options: Options,
    /// What a failing test may leave behind goes with it.
    place: TempDir,
    database: Option<Database>,
    child: Option<Child>,
    client: Client,
    dev: Value,
    announced: Mutex<Vec<String>>,
    is_damaged: bool,
}

impl Server {
    /// Starts one with everything at its default, but limits that no test means to reach.
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::new()).await
    }

    async fn start_with(options: Options) -> Self {
        let mut server = Self::prepare(options).await;
        if server.database.is_some() {
            // Tests run PostgreSQL without syncs; theirs is not the durability that is tested.
            server.expect_log("fsync or full_page_writes off");
        }
        server.migrate();
        server.launch("127.0.0.1:0");
        server.wait_until_ready().await;
        server
    }

    /// Everything but the process.
    async fn prepare(options: Options) -> Self {
        let place = tempfile::Builder::new()
            .prefix("bailee-it")
            .tempdir()
            .unwrap();
        fs::create_dir(place.path().join("exchange")).unwrap();
        Self {
            options,
            place,
            database: Database::make().await,
            child: None,
            client: Client::new(),
            dev: Value::Null,
            announced: Mutex::new(Vec::new()),
            is_damaged: false,
        }
    }

    /// The server's role cannot change the schema of a PostgreSQL database; its owner does that, as in production.
    fn migrate(&self) {
        if self.database.is_none() {
            return;
        }
        let mut command = Command::new(binary());
        command.arg("migrate");
        self.configure(&mut command, Role::Owner);
        let done = command.output().unwrap();
        let complaint = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "`bailee migrate`: {complaint}");
    }

    fn launch(&mut self, listen: &str) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        let mut command = Command::new(binary());
        command
            .args(["serve", "--dev", "--listen", listen])
            .stdin(Stdio::null())
            .stdout(self.console())
            .stderr(log);
        self.configure(&mut command, Role::Server);
        self.child = Some(command.spawn().unwrap());
    }

    /// What `--dev` tells the person at the terminal, keys included; it is no log.
    fn console(&self) -> File {
        let path = self.place.path().join("console");
        File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    }

    /// Settings go by flags, the way to the database by the environment, which is taken from nobody else.
    pub(super) fn configure(&self, command: &mut Command, role: Role) {
        let exchange = json!([self.exchange()]).to_string();
        let defaults = [
            ("log.format", "json"),
            ("local.allow_folders", &exchange),
            ("rate_limits.read", "1000000"),
            ("rate_limits.write", "1000000"),
            ("rate_limits.auth", "1000000"),
            ("rate_limits.status", "1000000"),
        ];
        let own = self.options.settings.iter();
        let own = own.map(|(key, value)| (key.as_str(), value.as_str()));
        command.arg("--data").arg(self.data());
        for (key, value) in defaults.into_iter().chain(own) {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if let Some(database) = &self.database {
            let url = match role {
                Role::Owner => database.owner(),
                Role::Server => database.app(),
            };
            command.env("BAILEE__DATABASE__KIND", "postgres");
            command.env("BAILEE__DATABASE__URL", url);
            command.env("BAILEE__KEYS__ROOT_KEY", ROOT_KEY);
        }
    }

    /// Waits for the file that `--dev` writes, then for the server's own word.
    async fn wait_until_ready(&mut self) {
        let begun = Instant::now();
        loop {
            if self.read_dev() && self.is_ready().await {
                return;
            }
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!("the server ended ({status}): {}", self.log());
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the server is not ready: {}",
                self.log()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn read_dev(&mut self) -> bool {
        let Ok(text) = fs::read_to_string(self.data().join("dev.json")) else {
            return false;
        };
        let Ok(dev) = serde_json::from_str::<Value>(&text) else {
            return false;
        };
        if self.dev != dev {
            self.dev = dev;
            self.client = client(self.ca_file());
        }
        true
    }

    async fn is_ready(&self) -> bool {
        let asked = self
            .admin()
            .nobody()
            .at(Method::GET, "/readyz")
            .try_send()
            .await;
        asked.is_ok_and(|answer| answer.status == 200)
    }

    /// `https://127.0.0.1:port`.
    pub(crate) fn url(&self) -> &str {
        self.dev["url"].as_str().unwrap().trim_end_matches('/')
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let url: url::Url = self.url().parse().unwrap();
        SocketAddr::from(([127, 0, 0, 1], url.port().unwrap()))
    }

    pub(crate) fn ca_file(&self) -> &Path {
        Path::new(self.dev["ca_file"].as_str().unwrap())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    /// A folder that the connector `local` may use.
    pub(crate) fn exchange(&self) -> PathBuf {
        self.place.path().join("exchange")
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.place.path().join("log")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The administrator of the first tenant.
    pub(crate) fn admin(&self) -> Api {
        self.with_key("api_key")
    }

    /// The operator of the installation.
    pub(crate) fn operator(&self) -> Api {
        self.with_key("operator_key")
    }

    fn with_key(&self, member: &str) -> Api {
        Api::new(self.client.clone(), self.url(), self.dev[member].as_str())
    }

    /// Makes another tenant; answers its administrator.
    pub(crate) async fn tenant(&self, name: &str) -> Api {
        let made = self
            .operator()
            .post("/tenants")
            .json(&json!({"name": name}))
            .send()
            .await;
        let made = made.is(201).json();
        self.operator()
            .with_key(made["administrator"]["api_key"].as_str().unwrap())
    }

    pub(super) fn tenant_id(&self) -> &str {
        self.dev["tenant_id"].as_str().unwrap()
    }

    pub(super) fn process_id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Texts of log lines that the test means to cause.
    pub(super) fn announced(&self) -> Vec<String> {
        self.announced.lock().unwrap().clone()
    }

    /// The test means to cause a WARN or ERROR line with this text.
    pub(crate) fn expect_log(&self, text: &str) {
        self.announced.lock().unwrap().push(text.to_owned());
    }

    /// Lets the test damage sealed bytes on disk, which are not opened at the end then.
    pub(crate) fn damage(&mut self, act: impl FnOnce(&Path)) {
        self.is_damaged = true;
        act(&self.data().join("blobs"));
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// A local command about this server's installation.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words);
        self.configure(&mut command, Role::Server);
        command
    }

    /// A client command of a caller. Nothing of the machine's own profiles or environment reaches it.
    pub(crate) fn client_command(&self, caller: &Api, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(words)
            .env_clear()
            .env("HOME", self.place.path())
            .env("BAILEE_URL", self.url())
            .env("BAILEE_API_KEY", caller.key())
            .env("BAILEE_CA_FILE", self.ca_file())
            .stdin(Stdio::null());
        command
    }

    /// Leaves a stopped server's rows as they would be had it died, at each request with an idempotency key, right
    /// after its work was committed: the answer is kept by a commit of its own, which has not happened then.
    pub(crate) async fn forget_answers(&self) {
        self.rewrite("UPDATE idempotency SET answer = NULL").await;
    }

    /// Changes rows of a stopped server: so that it was stopped for longer than it was, for one.
    pub(crate) async fn rewrite(&self, statement: &str) {
        assert!(self.child.is_none(), "the server must be stopped");
        if let Some(database) = &self.database {
            return database.rewrite(statement).await;
        }
        let rows = rusqlite::Connection::open(self.data().join("bailee.db")).unwrap();
        assert!(rows.execute(statement, ()).unwrap() > 0, "{statement}");
    }

    /// Starts it again at the same address, with the same data.
    pub(crate) async fn start_again(&mut self) {
        let address = self.address().to_string();
        self.launch(&address);
        self.wait_until_ready().await;
    }

    /// Whether the process is gone, or about to be: what still answers lives.
    pub(crate) async fn ends_within_moments(&mut self) -> bool {
        loop {
            if self.has_ended() {
                return true;
            }

            let alive = self
                .admin()
                .nobody()
                .at(Method::GET, "/healthz")
                .try_send()
                .await;
            if alive.is_ok_and(|answer| answer.status == 200) {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether the process is gone.
    pub(crate) fn has_ended(&mut self) -> bool {
        match self.child.as_mut().map(|child| child.try_wait().unwrap()) {
            Some(None) => false,
            Some(Some(_)) => {
                self.child = None;
                true
            }
            None => true,
        }
    }

    /// Asks it to stop and waits; answers how it ended.
    pub(crate) fn stop(&mut self) -> Option<ExitStatus> {
        let child = self.child.as_mut()?;
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
        let begun = Instant::now();
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if begun.elapsed() > STOP {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            std::thread::sleep(LOOK_EVERY);
        };
        self.child = None;
        Some(ended.unwrap_or_else(|| panic!("the server does not stop: {}", self.log())))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The test has failed already; its server must not outlive it.
            if let Some(mut child) = self.child.take() {
                let _ = child.kill();
                let _ = child.wait();
            }
            return;
        }
        let is_running = !self.has_ended();
        let checked = is_running.then(|| catch_unwind(AssertUnwindSafe(|| self.check_running())));
        if let Some(Err(panic)) = checked {
            self.kill();
            resume_unwind(panic);
        }
        if let Some(status) = self.stop() {
            assert!(
                status.success(),
                "the server ended with {status} (signal {:?}): {}",
                status.signal(),
                self.log()
            );
        }
        self.check_log();
        if is_running && !self.is_damaged {
            self.scrub();
        }
    }
}

/// Trusts the server's own authority and nobody else.
fn client(ca_file: &Path) -> Client {
    let authorities = Certificate::from_pem_bundle(&fs::read(ca_file).unwrap()).unwrap();
    Client::builder()
        .tls_certs_only(authorities)
        .build()
        .unwrap()
}

/// `BAILEE_BIN`, or the program beside the tests.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("BAILEE_BIN") {
        return path.into();
    }
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(Path::parent).unwrap();
    let path = folder.join("bailee");
    assert!(
        path.is_file(),
        "build the server first: no {}",
        path.display()
    );
    path
}
