//! The floor: a server that does only what must be done to keep bytes safe, and nothing else.
//!
//! A thread a connection; TLS 1.3; SHA-256; AES-256-GCM in segments of 64 KiB; a file and its fdatasync, or up to 64 KiB in the
//! row itself; one row, whose commit and sync are shared by all who wait. No routing, credential, policy, limit or journal.
//! It is a measure, not a product: it listens on the loopback, and a bad request merely ends the connection.

mod blob;
mod connection;
mod row;

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::tls;

/// Threads at once; more connections wait to be accepted.
const CONNECTIONS_MAX: usize = 512;
/// Each thread holds its buffers on the heap, so little stack is enough.
const STACK_BYTES: usize = 256 * 1024;

/// How to reach a server that was started here. Bailee writes the same file in development.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reach {
    /// `https://127.0.0.1:PORT`.
    pub url: String,
    /// A credential, where one is needed.
    #[serde(default)]
    pub api_key: Option<String>,
    /// The certificate to trust.
    pub ca_file: std::path::PathBuf,
}

/// The name of the file that holds a [`Reach`] in the data folder.
pub const REACH_FILE: &str = "dev.json";

/// What all connections share.
struct Floor {
    blobs: blob::Blobs,
    rows: row::Rows,
    tls: Arc<rustls::ServerConfig>,
    /// Counted up when a thread starts, down when it ends.
    open: std::sync::Mutex<usize>,
    closed: std::sync::Condvar,
}

/// Serves from `folder` until the standard input ends, which it does when the parent is gone.
pub fn serve(folder: &Path) -> Result<()> {
    start(folder)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).context("cannot wait")?;
    Ok(())
}

/// Listens and returns; threads do the rest.
fn start(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let pair = tls::write_pair(folder)?;
    let floor = Arc::new(Floor {
        blobs: blob::Blobs::create(&folder.join("blobs"), AtomicU64::new(1))?,
        rows: row::Rows::create(&folder.join("floor.db"))?,
        tls: tls::server(&pair)?,
        open: std::sync::Mutex::new(0),
        closed: std::sync::Condvar::new(),
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let reach = Reach {
        url: format!("https://{}", listener.local_addr()?),
        api_key: None,
        ca_file: pair.certificate,
    };
    // Written aside and renamed: whoever sees the file sees all of it.
    let aside = folder.join("dev.json.new");
    std::fs::write(&aside, serde_json::to_vec(&reach)?)?;
    std::fs::rename(aside, folder.join(REACH_FILE))?;
    std::thread::spawn(move || accept(&floor, &listener));
    Ok(())
}

fn accept(floor: &Arc<Floor>, listener: &TcpListener) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        let Some(seat) = Seat::take(floor) else {
            return;
        };
        let started = std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn(move || {
                if let Err(error) = connection::serve(&seat.0, stream) {
                    eprintln!("{error:#}");
                }
            });
        if let Err(error) = started {
            eprintln!("{error}");
        }
    }
}

/// One of the connections that may be open, given back when dropped.
struct Seat(Arc<Floor>);

impl Seat {
    fn take(floor: &Arc<Floor>) -> Option<Self> {
        let open = floor.open.lock().ok()?;
        let mut open = floor
            .closed
            .wait_while(open, |open| *open >= CONNECTIONS_MAX)
            .ok()?;
        *open += 1;
        Some(Self(Arc::clone(floor)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Ok(mut open) = self.0.open.lock() {
            *open -= 1;
            self.0.closed.notify_one();
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::load::client::{Body, Client, Request};
    use crate::load::{self, Action, Naming, Plan, Target};

    fn target(folder: &Path) -> Target {
        start(folder).unwrap();
        let reach = std::fs::read(folder.join(REACH_FILE)).unwrap();
        let reach: Reach = serde_json::from_slice(&reach).unwrap();
        Target {
            address: reach.url.replace("https://", "").parse().unwrap(),
            tls: tls::client(&reach.ca_file).unwrap(),
            api_key: None,
            naming: Naming::Path,
        }
    }

    fn plan(action: Action, size_bytes: u64) -> Plan {
        Plan {
            action,
            size_bytes,
            count: 20,
            connections: 4,
            prefix: size_bytes.to_string(),
            names: 5,
        }
    }

    #[test]
    fn what_was_sent_can_be_fetched_in_every_way() {
        let folder = tempfile::tempdir().unwrap();
        let target = target(folder.path());
        for size_bytes in [0, 1, 65_536, 65_537, 9 << 20] {
            load::prepare(&target, &plan(Action::Get, size_bytes)).unwrap();
            for action in [Action::Put, Action::Get, Action::ConnectAndGet] {
                let outcome = load::run(&target, &plan(action, size_bytes)).unwrap();
                assert_eq!((outcome.done, outcome.latencies.len()), (20, 20));
                assert!(outcome.per_second() > 0.0);
            }
        }
    }

    #[test]
    fn a_refusal_or_a_wrong_length_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let target = target(folder.path());
        let error = load::run(&target, &plan(Action::Get, 10)).unwrap_err();
        assert!(format!("{error:#}").contains("status 404"), "{error:#}");
        load::prepare(&target, &plan(Action::Get, 10)).unwrap();
        let longer = Plan {
            size_bytes: 11,
            ..plan(Action::Get, 10)
        };
        let error = load::run(&target, &longer).unwrap_err();
        assert!(
            format!("{error:#}").contains("10 bytes instead of 11"),
            "{error:#}"
        );
    }

    #[test]
    fn a_connection_serves_one_request_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut client = Client::connect(&target(folder.path())).unwrap();
        for text in ["", "{}", r#"{"a":1}"#] {
            let sent = client.exchange(Request {
                method: "PUT",
                target: "/a",
                body: Body::Json(text.to_owned()),
            });
            assert_eq!(sent.unwrap().status, 201);
            let fetched = client.exchange(Request {
                method: "GET",
                target: "/a",
                body: Body::Empty,
            });
            assert_eq!(fetched.unwrap().text, text.as_bytes());
            assert!(client.is_open());
        }
    }
}
