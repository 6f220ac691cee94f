use std::time::{SystemTime, UNIX_EPOCH};

use bailee_client::model::Timestamp;

/// The time now. The one place of the command line that reads a clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a signature carries the time of its making; nothing below takes it but as argument"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
