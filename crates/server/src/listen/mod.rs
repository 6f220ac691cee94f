//! The HTTPS listener: an accept loop of our own on hyper, in which every phase has a timer and every amount a bound.
//!
//! The loop knows nothing of routes or callers. It takes an [`Application`] (an `axum::Router`) and a function that
//! turns [`ConnectionFacts`] into request extensions, so that handlers learn who is at the other end in their own words.
//!
//! - There is no plain HTTP. A peer that does not begin a TLS handshake is cut by its timer.
//! - Overload: a connection beyond [`Limits::connections`] or [`Limits::connections_per_address`] is accepted and closed
//!   at once. The peer learns that quickly and the queue of the kernel stays short. When descriptors or memory run
//!   out, accepting pauses with a growing wait, so the loop never spins.
//! - A request body that comes too slowly fails with an `io::Error` of kind `TimedOut`; whoever answers says 408.
//! - A head with both `Content-Length` and `Transfer-Encoding` reaches the application with both, so that it can refuse
//!   what hyper alone would take.
//! - Stopping: no new connections, HTTP/2 peers get GOAWAY and are left when they ask nothing more, running requests may
//!   finish within [`Limits::drain`], then what is left is cut.

mod activity;
mod body;
mod connection;
mod executor;
mod heads;
mod limits;
mod pace;
mod peer;
mod seats;
mod service;
mod socket;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Extensions;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::limits::Limits;
pub use self::peer::{ConnectionFacts, Protocol, TlsVersion};
pub use self::service::Application;

use self::connection::{Accepted, Shared};
use self::limits::{ABORT_WAIT, ACCEPT_PAUSE_MAX, ACCEPT_PAUSE_MIN, BACKLOG};
use self::seats::Seats;
use crate::tls::ServerTls;

/// Where and how to listen.
pub struct ListenOptions {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Certificate and protocol versions; may be reloaded while the listener runs.
    pub tls: Arc<ServerTls>,
    /// Every bound.
    pub limits: Limits,
}

/// Why a listener could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is in use, not ours, or needs a privilege.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every connection ended by itself in time.
    Cleanly,
    /// So many connections and HTTP/2 requests still ran when time was up, and were cut.
    Cut(usize),
}

/// A socket that listens and is not served yet: the kernel queues connections meanwhile.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: Arc<ServerTls>,
    limits: Arc<Limits>,
}

impl Listener {
    /// Takes the address. Must run inside a Tokio runtime.
    pub fn bind(options: ListenOptions) -> Result<Self, ListenError> {
        let ListenOptions {
            address,
            tls,
            limits,
        } = options;
        let failed = |source| ListenError::Bind { address, source };
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }
        .map_err(failed)?;
        // A restart must not wait for connections of the last run that the kernel still remembers.
        socket.set_reuseaddr(true).map_err(failed)?;
        socket.bind(address).map_err(failed)?;
        let socket = socket.listen(BACKLOG).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self {
            socket,
            address,
            tls,
            limits: Arc::new(limits),
        })
    }

    /// The address in use, with the port that the system chose.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is cancelled and what ran then is finished or cut.
    ///
    /// `extensions` is called once for a connection; its result is put into each of its requests.
    pub async fn serve<S, F>(
        self,
        application: S,
        extensions: F,
        shutdown: CancellationToken,
    ) -> Drained
    where
        S: Application,
        F: Fn(&ConnectionFacts) -> Extensions + Send + Sync + 'static,
    {
        let Self {
            socket,
            address,
            tls,
            limits,
        } = self;
        let seats = Seats::new(limits.connections, limits.connections_per_address);
        let drain = limits.drain;
        let shared = Arc::new(Shared {
            application,
            extensions,
            tls,
            limits,
            shutdown: shutdown.clone(),
            abort: CancellationToken::new(),
            tracker: TaskTracker::new(),
        });
        tracing::info!(%address, "listening");
        let mut number = 0;
        while let Some((stream, address)) = shutdown.run_until_cancelled(accept(&socket)).await {
            let seat = match seats.take(address.ip()) {
                Ok(seat) => seat,
                Err(full) => {
                    metrics::counter!("bailee_connections_refused_total", "cause" => full.as_str())
                        .increment(1);
                    continue;
                }
            };
            number += 1;
            let accepted = Accepted {
                stream,
                address,
                number,
            };
            let of_connection = Arc::clone(&shared);
            shared.tracker.spawn(async move {
                let _seat = seat;
                of_connection.live(accepted).await;
            });
        }
        drop(socket);
        shared.tracker.close();
        drained(&shared.tracker, &shared.abort, drain).await
    }
}

async fn drained(tracker: &TaskTracker, abort: &CancellationToken, patience: Duration) -> Drained {
    if timeout(patience, tracker.wait()).await.is_ok() {
        return Drained::Cleanly;
    }
    let left = tracker.len();
    abort.cancel();
    if timeout(ABORT_WAIT, tracker.wait()).await.is_err() {
        tracing::warn!(
            tasks = tracker.len(),
            "connections do not end though they were aborted"
        );
    }
    Drained::Cut(left)
}

/// The next connection. Errors are ridden out: those of one connection at once, shortages with a pause.
async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = ACCEPT_PAUSE_MIN;
    loop {
        match socket.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // One line for a shortage however long it lasts.
                if pause == ACCEPT_PAUSE_MIN {
                    tracing::error!(%error, "cannot accept connections; waiting");
                }
                sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
