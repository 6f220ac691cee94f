//! Idle connections: few, short-lived, by receiver.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::limit;

/// A connection to a receiver. Dropping it hangs up.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) sender: SendRequest<Full<Bytes>>,
    pub(super) address: SocketAddr,
    /// The task that moves the bytes.
    pub(super) _driver: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Idle {
    line: Line,
    since: Instant,
}

impl Idle {
    fn is_usable(&self) -> bool {
        self.since.elapsed() < limit::IDLE_CONNECTION_TIME_MAX && !self.line.sender.is_closed()
    }
}

/// Connections that wait for their next request.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<HashMap<String, Vec<Idle>>>);

impl Pool {
    /// The connection to `key` that was used last, if it is still good.
    pub(super) fn take(&self, key: &str) -> Option<Line> {
        let mut hosts = self.hosts();
        let idle = hosts.get_mut(key)?;
        while let Some(last) = idle.pop() {
            if last.is_usable() {
                return Some(last.line);
            }
        }
        hosts.remove(key);
        None
    }

    /// Keeps `line` for the next request to `key`, if there is room.
    pub(super) fn put(&self, key: &str, line: Line) {
        let mut hosts = self.hosts();
        if hosts.len() >= limit::IDLE_HOSTS_MAX && !hosts.contains_key(key) {
            hosts.retain(|_, idle| {
                idle.retain(Idle::is_usable);
                !idle.is_empty()
            });
            if hosts.len() >= limit::IDLE_HOSTS_MAX {
                return;
            }
        }
        let idle = hosts.entry(key.to_owned()).or_default();
        idle.retain(Idle::is_usable);
        if idle.len() < limit::IDLE_CONNECTIONS_PER_HOST_MAX {
            idle.push(Idle {
                line,
                since: Instant::now(),
            });
        }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Vec<Idle>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
