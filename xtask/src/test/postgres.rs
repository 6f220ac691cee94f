//! A PostgreSQL server of the tests' own: in a temporary folder, on a free loopback port, stopped when dropped.
//!
//! It runs without syncs, since no test of ours is about PostgreSQL's own durability. Tests get the superuser, and make of it what they
//! need: a database each, owned by one role and used by another that cannot bypass row security.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;

const VERSION_MIN: u32 = 15;
const START_SECONDS_MAX: u64 = 60;
/// A free port may be taken by somebody else before the server has it.
const START_TRIES_MAX: usize = 3;
const POLL: Duration = Duration::from_millis(100);

/// The newest installed version: its number and the folder of its programs.
pub fn binaries() -> Result<(u32, PathBuf)> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is not installed below /usr/lib/postgresql")?;
    let found = versions.filter_map(|entry| {
        let path = entry.ok()?.path();
        let version = path.file_name()?.to_str()?.parse().ok()?;
        path.join("bin/initdb")
            .is_file()
            .then(|| (version, path.join("bin")))
    });
    let newest = found
        .max_by_key(|(version, _)| *version)
        .filter(|(version, _)| *version >= VERSION_MIN);
    newest.with_context(|| format!("no PostgreSQL ≥ {VERSION_MIN} below /usr/lib/postgresql"))
}

pub struct Cluster {
    pub version: u32,
    pub port: u16,
    bin: PathBuf,
    password: String,
    server: Child,
    /// Last, so that it is removed after the server has ended.
    folder: Folder,
}

impl Cluster {
    pub fn start() -> Result<Self> {
        for _ in 0..START_TRIES_MAX {
            if let Some(cluster) = Self::try_start()? {
                return Ok(cluster);
            }
        }
        bail!("PostgreSQL does not start; its output stands above")
    }

    /// Nothing if the server ended before it was ready.
    fn try_start() -> Result<Option<Self>> {
        let (version, bin) = binaries()?;
        let password = random_hex()?;
        let folder = Folder::make()?;
        initialise(&bin, &folder.0, &password)?;
        let port = free_port()?;
        let server = spawn(&bin, &folder.0, port)?;
        let mut cluster = Self {
            version,
            port,
            bin,
            password,
            server,
            folder,
        };
        let is_ready = cluster.is_ready()?;
        Ok(is_ready.then_some(cluster))
    }

    /// For the superuser, whose password nobody else on the machine knows.
    pub fn url(&self) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }

    /// False if the server ended before it answered.
    fn is_ready(&mut self) -> Result<bool> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(START_SECONDS_MAX) {
            let mut probe = process::command(self.bin.join("pg_isready"));
            if process::succeeds(probe.args(["-h", "127.0.0.1", "-p", &self.port.to_string()])) {
                return Ok(true);
            }
            if self.server.try_wait()?.is_some() {
                return Ok(false);
            }
            pause();
        }
        bail!("PostgreSQL is not ready after {START_SECONDS_MAX} s")
    }

    fn stop(&mut self) -> Result<()> {
        // By its data folder, so it is ours and no other.
        let mut stop = as_user(self.bin.join("pg_ctl"))?;
        stop.args(["stop", "-s", "-w", "-m", "immediate", "-D"])
            .arg(self.folder.0.join("data"));
        if !process::succeeds(&mut stop) {
            self.server.kill()?;
        }
        self.server.wait()?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Ok(None) = self.server.try_wait()
            && let Err(error) = self.stop()
        {
            eprintln!(
                "warning: PostgreSQL (process {}) is not stopped: {error:#}",
                self.server.id()
            );
        }
    }
}

/// A temporary folder of the server's user, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("bailee-postgres-{}", random_hex()?));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let folder = Self(path);
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700))?;
        give(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("warning: {} is left: {error}", self.0.display());
        }
    }
}

/// PostgreSQL refuses root; root becomes the user the package made.
fn as_user(program: impl AsRef<Path>) -> Result<Command> {
    if !process::is_root() {
        return Ok(process::command(program.as_ref()));
    }
    let mut command = process::command("setpriv");
    command
        .arg(format!("--reuid={}", id("-u")?))
        .arg(format!("--regid={}", id("-g")?));
    // The server ends with us, also when we are killed and cannot stop it.
    command
        .args(["--clear-groups", "--pdeathsig", "INT", "--"])
        .arg(program.as_ref())
        .current_dir("/");
    Ok(command)
}

fn id(flag: &str) -> Result<u32> {
    let text = process::output(process::command("id").args([flag, "postgres"]))?;
    text.trim().parse().context("`id` gives no number")
}

/// Hands a file to the user the server runs as.
fn give(path: &Path) -> Result<()> {
    if process::is_root() {
        chown(path, Some(id("-u")?), Some(id("-g")?))?;
    }
    Ok(())
}

fn initialise(bin: &Path, folder: &Path, password: &str) -> Result<()> {
    let secret = folder.join("password");
    fs::write(&secret, password)?;
    give(&secret)?;
    let mut initdb = as_user(bin.join("initdb"))?;
    initdb.args([
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C",
        "--auth=scram-sha-256",
        "--no-sync",
        "--no-instructions",
    ]);
    initdb
        .arg("--pwfile")
        .arg(&secret)
        .arg("-D")
        .arg(folder.join("data"))
        .stdout(Stdio::null());
    process::run(&mut initdb)
}

fn spawn(bin: &Path, folder: &Path, port: u16) -> Result<Child> {
    let mut server = as_user(bin.join("postgres"))?;
    server.arg("-D").arg(folder.join("data"));
    for setting in [
        format!("port={port}"),
        format!("unix_socket_directories={}", folder.display()),
        "listen_addresses=127.0.0.1".to_owned(),
        "max_connections=200".to_owned(),
        "fsync=off".to_owned(),
        "full_page_writes=off".to_owned(),
        // What tests provoke on purpose is no news.
        "log_min_messages=fatal".to_owned(),
    ] {
        server.arg("-c").arg(setting);
    }
    server
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start PostgreSQL")
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// 128 bits of the system's randomness: no other user of the machine may sign in.
fn random_hex() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "another program is waited for, and xtask has no runtime"
)]
fn pause() {
    std::thread::sleep(POLL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_another() -> Result<()> {
        let (one, other) = (random_hex()?, random_hex()?);
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
        Ok(())
    }
}
