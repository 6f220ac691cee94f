use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;

use http::Extensions;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::activity::{Activity, Cause, Verdict, Watched};
use super::executor::Tasks;
use super::limits::{FAREWELL, GOODBYE, Limits, UNSENT_BYTES_MAX};
use super::pace::Pace;
use super::peer::{ConnectionFacts, Protocol, TlsVersion};
use super::service::{Application, Front};
use super::socket::Socket;
use crate::tls::{ALPN_HTTP2, ServerTls};

/// What all connections of a listener share.
pub(crate) struct Shared<S, F> {
    pub(crate) application: S,
    pub(crate) extensions: F,
    pub(crate) tls: Arc<ServerTls>,
    pub(crate) limits: Arc<Limits>,
    /// Wish to stop: finish what runs, take nothing new.
    pub(crate) shutdown: CancellationToken,
    /// End at once.
    pub(crate) abort: CancellationToken,
    pub(crate) tracker: TaskTracker,
}

/// An accepted socket.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) address: SocketAddr,
    pub(crate) number: u64,
}

type Encrypted = TlsStream<Socket<TcpStream>>;

impl<S, F> Shared<S, F>
where
    S: Application,
    F: Fn(&ConnectionFacts) -> Extensions + Send + Sync + 'static,
{
    /// Lives one connection from the handshake to its end.
    pub(crate) async fn live(&self, accepted: Accepted) {
        let address = accepted.address;
        let handshake = timeout(self.limits.handshake, self.shake_hands(accepted));
        // Nothing was promised yet, so a wish to stop ends a handshake.
        let (stream, facts) = match self.shutdown.run_until_cancelled(handshake).await {
            Some(Ok(Ok(made))) => made,
            Some(Ok(Err(error))) => {
                metrics::counter!("bailee_handshakes_failed_total", "cause" => "error")
                    .increment(1);
                tracing::debug!(peer.address = %address, %error, "the TLS handshake failed");
                return;
            }
            Some(Err(_)) => {
                metrics::counter!("bailee_handshakes_failed_total", "cause" => "time").increment(1);
                tracing::debug!(peer.address = %address, "the TLS handshake took too long");
                return;
            }
            None => return,
        };
        self.converse(stream, &facts).await;
    }

    async fn shake_hands(
        &self,
        accepted: Accepted,
    ) -> std::io::Result<(Encrypted, ConnectionFacts)> {
        let Accepted {
            stream,
            address,
            number,
        } = accepted;
        stream.set_nodelay(true)?;
        keep_queue_short(&stream)?;
        let local_address = stream.local_addr()?;
        let pace = Pace::new(self.limits.answer_window, self.limits.answer_window_bytes);
        let stream = TlsAcceptor::from(self.tls.server_config())
            .accept(Socket::new(stream, pace))
            .await?;
        let (_, session) = stream.get_ref();
        let tls_version = match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => TlsVersion::V1_2,
            _ => TlsVersion::V1_3,
        };
        let protocol = if session.alpn_protocol() == Some(ALPN_HTTP2) {
            Protocol::Http2
        } else {
            Protocol::Http1
        };
        let server_name = session.server_name().map(str::to_ascii_lowercase);
        let facts = ConnectionFacts {
            address,
            local_address,
            connection_number: number,
            tls_version,
            protocol,
            server_name,
        };
        Ok((stream, facts))
    }

    async fn converse(&self, stream: Encrypted, facts: &ConnectionFacts) {
        let activity = Activity::new(facts.protocol);
        let front = Front {
            application: self.application.clone(),
            extensions: (self.extensions)(facts),
            activity: Arc::clone(&activity),
            limits: Arc::clone(&self.limits),
        };
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        // The handshake settled the protocol, so hyper need not guess it from the first bytes (which has no timer).
        match facts.protocol {
            Protocol::Http1 => {
                self.watch(
                    pin!(self.http1().serve_connection(io, front)),
                    &activity,
                    facts,
                )
                .await;
            }
            Protocol::Http2 => {
                self.watch(
                    pin!(self.http2().serve_connection(io, front)),
                    &activity,
                    facts,
                )
                .await;
            }
        }
    }

    /// Drives a connection until it ends, or until a timer or a wish to stop ends it.
    async fn watch<C>(
        &self,
        mut connection: Pin<&mut C>,
        activity: &Activity,
        facts: &ConnectionFacts,
    ) where
        C: GracefulConnection<Error = hyper::Error>,
    {
        // Set once we asked the connection to end, with the reason and the moment when patience ends.
        let mut goodbye: Option<(Instant, Cause)> = None;
        let mut draining: Option<Instant> = None;
        loop {
            let look_again = match (goodbye, activity.verdict(&self.limits, Instant::now())) {
                (Some((until, cause)), _) if Instant::now() >= until => {
                    return report(facts, cause);
                }
                (Some((until, _)), _) => until,
                (None, Verdict::LookAgain(at)) => at,
                (None, Verdict::Close(Cause::Idle)) => {
                    connection.as_mut().graceful_shutdown();
                    let until = Instant::now() + GOODBYE;
                    goodbye = Some((until, Cause::Idle));
                    until
                }
                (None, Verdict::Close(cause)) => return report(facts, cause),
            };
            let look_again = match draining.map(|since| farewell(activity, since)) {
                Some(until) if Instant::now() >= until && facts.protocol == Protocol::Http2 => {
                    tracing::debug!(peer.address = %facts.address, "left without an answer to GOAWAY");
                    return;
                }
                Some(until) if facts.protocol == Protocol::Http2 => look_again.min(until),
                _ => look_again,
            };
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(peer.address = %facts.address, %error, "the connection broke");
                    }
                    return;
                }
                () = self.abort.cancelled() => return,
                () = self.shutdown.cancelled(), if draining.is_none() => {
                    draining = Some(Instant::now());
                    connection.as_mut().graceful_shutdown();
                }
                () = activity.head_begun() => {}
                () = sleep_until(look_again) => {}
            }
        }
    }

    // Without a `Timer` hyper's time-outs would silently do nothing.
    fn http1(&self) -> http1::Builder {
        let limits = &*self.limits;
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            // This timer runs while the connection idles, too; the shorter one for heads is in `Activity`.
            .header_read_timeout(limits.idle)
            .max_header_size(limits.header_bytes_read() as usize)
            .max_buf_size(limits.buffer_bytes.max(limits.header_bytes_read() as usize));
        builder
    }

    fn http2(&self) -> http2::Builder<Tasks> {
        let limits = &*self.limits;
        let mut builder = http2::Builder::new(Tasks {
            tracker: self.tracker.clone(),
            abort: self.abort.clone(),
        });
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(limits.header_bytes_read())
            .max_pending_accept_reset_streams(limits.pending_reset_streams)
            .max_local_error_reset_streams(limits.local_reset_streams)
            .adaptive_window(false)
            .initial_stream_window_size(limits.stream_window_bytes)
            .initial_connection_window_size(limits.connection_window_bytes)
            .max_send_buf_size(limits.buffer_bytes)
            .keep_alive_interval(limits.ping_interval)
            .keep_alive_timeout(limits.ping_timeout);
        builder
    }
}

/// Bounds what the kernel holds for a peer but has not sent. Without it a slow reader's progress shows in steps of
/// more than a megabyte, too seldom to tell it from one that stopped, and each slow download costs that much memory.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn keep_queue_short(stream: &TcpStream) -> std::io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn keep_queue_short(_stream: &TcpStream) -> std::io::Result<()> {
    Ok(())
}

/// When a connection that drains since `since` is left though its peer has not ended it; or is to be looked at again,
/// while something is asked.
fn farewell(activity: &Activity, since: Instant) -> Instant {
    match activity.idle_since() {
        Some(idle) => idle.max(since) + FAREWELL,
        None => Instant::now() + FAREWELL,
    }
}

fn report(facts: &ConnectionFacts, cause: Cause) {
    let cause = match cause {
        Cause::SlowHead => "slow_head",
        Cause::Idle => "idle",
        Cause::Stalled => "stalled",
    };
    metrics::counter!("bailee_connections_cut_total", "cause" => cause).increment(1);
    tracing::debug!(peer.address = %facts.address, cause, "the connection was cut");
}
