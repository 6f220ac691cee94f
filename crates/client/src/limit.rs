//! The bounds of this crate, by name.

use std::time::Duration;

/// Retries of one call after its first try, when the caller sets nothing.
pub const RETRIES: u32 = 4;
/// Wait before the first retry, before jitter; doubles with each.
pub const RETRY_DELAY_MIN: Duration = Duration::from_secs(1);
/// Longest wait before a retry that we choose ourselves.
pub const RETRY_DELAY_MAX: Duration = Duration::from_mins(1);
/// Longest `Retry-After` that is obeyed; above it the error goes to the caller at once.
pub const RETRY_AFTER_MAX: Duration = Duration::from_mins(2);

/// How long a connection, TLS included, may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take after the request was sent, or the next bytes of one after the last. Above the longest
/// long poll (60 s).
pub const READ_TIMEOUT: Duration = Duration::from_secs(90);
/// How long a stream of events may be silent before it counts as lost: the server says something each 15 s.
pub const STREAM_SILENCE: Duration = Duration::from_secs(45);
/// Largest event of a stream, in bytes.
pub const EVENT_BYTES: usize = 4 * 1024 * 1024;
/// The slowest line on which a request body is still sent, in bytes per second.
pub const SEND_RATE_MIN: u64 = 32 * 1024;
/// How long an idle connection is kept.
pub const POOL_IDLE: Duration = Duration::from_mins(1);

/// Files below this many bytes are sent in one request.
pub const SINGLE_REQUEST_BYTES: u64 = 8 * 1024 * 1024;
/// Part size until a file needs more than [`PARTS_MAX`] of them, in bytes.
pub const PART_SIZE: u64 = 8 * 1024 * 1024;
/// Parts in one upload session; the server's bound.
pub const PARTS_MAX: u64 = 10_000;
/// Parts under way at once when the caller sets nothing.
pub const PARALLEL_PARTS: usize = 4;
/// Most parts under way at once.
pub const PARALLEL_PARTS_MAX: usize = 16;
/// Most bytes of parts held in memory by one upload, once parts grow beyond [`PART_SIZE`].
pub const PARTS_MEMORY_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes read from a file at once.
pub const READ_BLOCK: usize = 256 * 1024;
/// Bytes of a download that are gathered before they are written.
pub const WRITE_BLOCK: usize = 1024 * 1024;
/// How many bytes the server may send ahead on one HTTP/2 stream.
pub const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
/// How many bytes the server may send ahead on one HTTP/2 connection.
pub const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// Longest error body that is read, in bytes.
pub const ERROR_BODY_BYTES: usize = 64 * 1024;
/// Longest answer that is read into memory, in bytes.
pub const ANSWER_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Least time between two progress reports.
pub const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// How long one long poll is asked to be held, in seconds.
pub const POLL_SECONDS: u64 = 30;
/// Largest difference between a webhook's time stamp and the receiver's clock, in seconds.
pub const WEBHOOK_TOLERANCE_SECONDS: i64 = 300;
/// How long a receiver on this machine may take.
pub const RECEIVER_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest part of a stream of unknown length, in bytes.
pub const STREAM_PART_SIZE_MAX: u64 = 64 * 1024 * 1024;
