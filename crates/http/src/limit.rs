//! The bounds of this crate. Those of the domain are in `bailee_model::limit`.

use std::time::Duration;

/// Longest `X-Request-Id` that is taken over, in characters.
pub(crate) const REQUEST_ID_CHARS_MAX: usize = 128;
/// Longest cursor that is looked at, in characters.
pub(crate) const CURSOR_CHARS_MAX: usize = 4096;
/// How many spans a rate window is counted in: a request is forgotten at most one span too late.
pub(crate) const RATE_SPANS: usize = 12;
/// Most credentials and addresses whose requests are counted; the idle ones are forgotten first.
pub(crate) const RATE_KEYS_MAX: usize = 100_000;
/// `Retry-After` of a 503 whose cause names none, in seconds.
pub(crate) const RETRY_AFTER_DEFAULT_SECONDS: u32 = 5;
/// Poll hint of an answer that is not final, in seconds.
pub(crate) const POLL_HINT_SECONDS: u32 = 5;
/// How often an event stream says that it is alive.
pub(crate) const STREAM_PING: Duration = Duration::from_secs(15);
/// How much of an unknown name an error message repeats, in characters.
pub(crate) const ECHO_CHARS_MAX: usize = 64;
