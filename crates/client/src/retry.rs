//! When a call is tried again, and after how long. Pure: time and chance come in as arguments.
//!
//! A retry must be honest: it never hides a permanent failure, never repeats what the server said not to repeat, and
//! obeys `Retry-After` to the second.

use std::time::Duration;

use bailee_model::Chance;

use crate::limit;

/// Statuses that are worth another try when the server does not say.
const TRANSIENT: [u16; 6] = [408, 425, 429, 502, 503, 504];
/// The only conflicts that pass by themselves.
const PASSING_CONFLICTS: [&str; 2] = ["idempotency_key_in_progress", "file_not_ready"];

/// How often and how slowly calls are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries after the first one. 0 switches retries off.
    pub max_retries: u32,
    /// Upper end of the first wait; doubles with each retry.
    pub delay_min: Duration,
    /// Upper end of every wait that we choose ourselves.
    pub delay_max: Duration,
    /// Longest `Retry-After` that is obeyed.
    pub retry_after_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: limit::RETRIES,
            delay_min: limit::RETRY_DELAY_MIN,
            delay_max: limit::RETRY_DELAY_MAX,
            retry_after_max: limit::RETRY_AFTER_MAX,
        }
    }
}

impl RetryPolicy {
    /// No retry at all.
    pub const NEVER: Self = Self {
        max_retries: 0,
        delay_min: Duration::ZERO,
        delay_max: Duration::ZERO,
        retry_after_max: Duration::ZERO,
    };
}

/// What went wrong with one try, as far as a retry cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure<'a> {
    /// The server answered with an error.
    Answered {
        /// HTTP status.
        status: u16,
        /// The problem's `code`, when the answer was a problem.
        code: Option<&'a str>,
        /// The problem's `retryable`, when the answer was a problem.
        retryable: Option<bool>,
        /// `Retry-After`, in seconds.
        retry_after_seconds: Option<u64>,
    },
    /// No usable answer came.
    Connection,
}

impl Failure<'_> {
    fn is_transient(self) -> bool {
        match self {
            Self::Connection => true,
            Self::Answered {
                status: 409, code, ..
            } => code.is_some_and(|code| PASSING_CONFLICTS.contains(&code)),
            Self::Answered {
                status, retryable, ..
            } => retryable.unwrap_or_else(|| is_transient_status(status)),
        }
    }
}

/// Whether a status alone is reason for another try.
pub(crate) fn is_transient_status(status: u16) -> bool {
    TRANSIENT.contains(&status)
}

/// The wait before the next try, or `None` when the failure is final. `retries_done` counts from 0.
pub fn next_delay(
    policy: &RetryPolicy,
    retries_done: u32,
    failure: Failure<'_>,
    chance: &dyn Chance,
) -> Option<Duration> {
    if retries_done >= policy.max_retries || !failure.is_transient() {
        return None;
    }
    if let Failure::Answered {
        retry_after_seconds: Some(seconds),
        ..
    } = failure
    {
        let wait = Duration::from_secs(seconds);
        return (wait <= policy.retry_after_max).then_some(wait);
    }
    let factor = 1u32.checked_shl(retries_done).unwrap_or(u32::MAX);
    let ceiling = policy
        .delay_min
        .saturating_mul(factor)
        .min(policy.delay_max);
    let mut bytes = [0u8; 4];
    chance.fill(&mut bytes);
    let share = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
    Some(ceiling.mul_f64(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);
    impl Chance for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const HIGH: Always = Always(0xff);

    fn answered(status: u16) -> Failure<'static> {
        Failure::Answered {
            status,
            code: None,
            retryable: None,
            retry_after_seconds: None,
        }
    }

    fn delay(retries_done: u32, failure: Failure<'_>) -> Option<Duration> {
        next_delay(&RetryPolicy::default(), retries_done, failure, &HIGH)
    }

    #[test]
    fn waits_double_up_to_the_bound_and_end_after_the_fourth() {
        let waits: Vec<_> = (0..5).map(|n| delay(n, Failure::Connection)).collect();
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(
            waits,
            [seconds(1), seconds(2), seconds(4), seconds(8), None]
        );
        let patient = RetryPolicy {
            max_retries: 40,
            ..RetryPolicy::default()
        };
        for done in [6, 31, 39] {
            let wait = next_delay(&patient, done, Failure::Connection, &HIGH);
            assert_eq!(wait, Some(limit::RETRY_DELAY_MAX));
        }
    }

    #[test]
    fn jitter_is_full() {
        let policy = RetryPolicy::default();
        let least = next_delay(&policy, 3, Failure::Connection, &Always(0));
        assert_eq!(least, Some(Duration::ZERO));
        let middle = next_delay(&policy, 3, Failure::Connection, &Always(0x80));
        assert!(middle.is_some_and(|w| w > Duration::from_secs(3) && w < Duration::from_secs(5)));
    }

    #[test]
    fn only_transient_statuses_are_tried_again() {
        for status in TRANSIENT {
            assert!(delay(0, answered(status)).is_some(), "{status}");
        }
        for status in [400, 401, 403, 404, 409, 410, 412, 413, 422, 500, 501, 507] {
            assert_eq!(delay(0, answered(status)), None, "{status}");
        }
    }

    #[test]
    fn the_word_of_the_server_wins() {
        let said = |status, retryable| Failure::Answered {
            status,
            code: Some("any"),
            retryable: Some(retryable),
            retry_after_seconds: None,
        };
        assert_eq!(delay(0, said(503, false)), None);
        assert!(delay(0, said(500, true)).is_some());
        assert_eq!(delay(0, said(409, true)), None, "a conflict needs its code");
    }

    #[test]
    fn two_conflicts_pass_by_themselves() {
        for (code, wanted) in [
            ("idempotency_key_in_progress", true),
            ("file_not_ready", true),
            ("file_exists", false),
        ] {
            let conflict = Failure::Answered {
                status: 409,
                code: Some(code),
                retryable: Some(wanted),
                retry_after_seconds: None,
            };
            assert_eq!(delay(0, conflict).is_some(), wanted, "{code}");
        }
    }

    #[test]
    fn retry_after_is_obeyed_up_to_two_minutes() {
        let after = |seconds| Failure::Answered {
            status: 429,
            code: Some("rate_limited"),
            retryable: Some(true),
            retry_after_seconds: Some(seconds),
        };
        assert_eq!(delay(0, after(0)), Some(Duration::ZERO));
        assert_eq!(delay(3, after(120)), Some(Duration::from_mins(2)));
        assert_eq!(delay(0, after(121)), None);
        assert_eq!(delay(4, after(1)), None);
    }
}
