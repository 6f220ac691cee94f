//! The only places where the process reads the clock and draws randomness.

use bailee_model::{Chance, Clock, Timestamp};

/// The system clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the clock is read"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_ms(since.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        }))
    }
}

/// The operating system's random numbers.
pub struct SystemChance;

impl Chance for SystemChance {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where randomness is drawn"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        // A process without randomness must not go on: every key would be guessable.
        if aws_lc_rs::rand::fill(bytes).is_err() {
            tracing::error!("the system gives no random numbers; the process ends");
            std::process::abort();
        }
    }
}
