use std::time::Duration;

/// Every bound of a connection, each with a default that suits a server on the open internet.
///
/// Time-outs are measured on the monotonic clock, sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections in all. A connection beyond it is accepted and closed at once.
    pub connections: usize,
    /// Open connections of one address: one IPv4 address, or one IPv6 /64, which is what one host commonly owns.
    pub connections_per_address: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request head to its last; also from the handshake to the first whole request.
    pub header_read: Duration,
    /// A connection on which nothing is asked.
    pub idle: Duration,
    /// Window in which a request body must bring `body_window_bytes`. Only time spent waiting for the peer counts.
    pub body_window: Duration,
    /// See `body_window`.
    pub body_window_bytes: u64,
    /// Time in which a peer may leave the socket full while taking less than `answer_window_bytes`.
    pub answer_window: Duration,
    /// See `answer_window`.
    pub answer_window_bytes: u64,
    /// Time in which an HTTP/2 peer may leave one stream's window shut. Longer than `answer_window`, because clients
    /// that slow themselves down reopen a window of several megabytes only when half of it is used.
    pub stream_stall: Duration,
    /// Request line and headers together; beyond it the answer is a 431 that says so.
    pub header_bytes: u32,
    /// What HTTP/1 buffers for one connection, once for reading and once for writing.
    pub buffer_bytes: usize,
    /// HTTP/2 requests at a time on one connection.
    pub streams: u32,
    /// HTTP/2 streams that a peer may reset before we took them up (rapid reset).
    pub pending_reset_streams: usize,
    /// HTTP/2 streams that we reset for the peer's errors before the connection is given up.
    pub local_reset_streams: usize,
    /// HTTP/2 receive window of one stream.
    pub stream_window_bytes: u32,
    /// HTTP/2 receive window of a connection: the most that its uploads together keep in memory.
    pub connection_window_bytes: u32,
    /// HTTP/2 ping when nothing was read for so long.
    pub ping_interval: Duration,
    /// Wait for the answer to a ping. A ping queues behind the bytes of a download, so this is also the deepest
    /// queue in seconds that a slow line may have.
    pub ping_timeout: Duration,
    /// From the wish to stop to the end of the last request; then connections are cut.
    pub drain: Duration,
}

impl Limits {
    /// What hyper reads of a head before it hangs up with a bare 431. More than is allowed, so that a head which is
    /// somewhat too large is still understood and gets its problem document.
    pub const fn header_bytes_read(&self) -> u32 {
        self.header_bytes.saturating_mul(2)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 1_000,
            handshake: Duration::from_secs(10),
            header_read: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body_window: Duration::from_secs(30),
            body_window_bytes: 30 * 1024,
            answer_window: Duration::from_mins(1),
            answer_window_bytes: 1024,
            stream_stall: Duration::from_mins(5),
            header_bytes: 32 * 1024,
            buffer_bytes: 32 * 1024,
            streams: 256,
            pending_reset_streams: 64,
            local_reset_streams: 256,
            stream_window_bytes: 2 * 1024 * 1024,
            connection_window_bytes: 8 * 1024 * 1024,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}

/// Bytes of an answer that are handed to the transport at a time, so that progress is seen in steps of this size.
pub(crate) const ANSWER_STEP_BYTES: usize = 64 * 1024;

/// Bytes that are read from a fast peer at a time: two TLS records.
pub(crate) const READ_AHEAD_BYTES: usize = 32 * 1024;

/// What HTTP/1 is given at once of a request that is not known to be long. One byte less than the size from which hyper
/// would read twice as much the next time, into a buffer that the connection then keeps.
pub(crate) const SHORT_READ_BYTES: usize = 16 * 1024 - 1;

/// A request is long from here on: larger reads are worth their memory.
pub(crate) const LONG_BODY_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes of a connection that the kernel may hold beside those under way.
#[cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    expect(dead_code, reason = "only Linux has the option")
)]
pub(crate) const UNSENT_BYTES_MAX: u32 = 128 * 1024;

/// How long a connection that was told to close may take to say goodbye.
pub(crate) const GOODBYE: Duration = Duration::from_secs(5);

/// How long an HTTP/2 peer that asks nothing may take to hear of a stop. It should answer a ping first, so that no
/// request of it is on its way, but need not.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

/// How long tasks may take to notice that they were aborted.
pub(crate) const ABORT_WAIT: Duration = Duration::from_secs(1);

/// Connections that the kernel may hold for us before they are accepted.
pub(crate) const BACKLOG: u32 = 4096;

/// First and longest pause after an accept that failed for want of descriptors or memory.
pub(crate) const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(20);
/// See [`ACCEPT_PAUSE_MIN`].
pub(crate) const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);
