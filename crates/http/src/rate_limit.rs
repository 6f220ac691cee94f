//! How many requests a credential or an address may send in any window of time.
//!
//! A sliding window counted in spans of a twelfth: never more than the quota is let through in any window, and a
//! refused client that waits `Retry-After` seconds goes on. Memory is bounded; idle counters are forgotten first.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bailee_model::{KeyId, Timestamp};

use crate::limit::{RATE_KEYS_MAX, RATE_SPANS};
use crate::operations::Allowance;

/// The quotas of an installation; a credential may have its own for reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Reads of a credential in a window.
    pub read: u32,
    /// Writes of a credential in a window.
    pub write: u32,
    /// Sign-in checks of a credential, and refused credentials of an address, in a window.
    pub auth: u32,
    /// Reads of transfer states of a credential in a window.
    pub status: u32,
    /// The window.
    pub window: Duration,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            read: 600,
            write: 600,
            auth: 100,
            status: 1800,
            window: Duration::from_mins(1),
        }
    }
}

/// Whose requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// A credential.
    Key(KeyId),
    /// An address; the /64 network for IPv6, which one customer holds.
    Address(IpAddr),
}

impl Source {
    pub(crate) fn address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Address(address),
            IpAddr::V6(v6) => Self::Address(IpAddr::from((v6.to_bits() >> 64 << 64).to_be_bytes())),
        }
    }
}

/// From whose allowance a request is taken, and how large that is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// Who.
    pub(crate) source: Source,
    /// Which of its allowances.
    pub(crate) allowance: Allowance,
    /// Requests a window.
    pub(crate) quota: u32,
}

/// How a source stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Which allowance.
    pub(crate) allowance: Allowance,
    /// Requests a window.
    pub(crate) quota: u32,
    /// The window, in seconds.
    pub(crate) window_seconds: u64,
    /// Requests left now.
    pub(crate) left: u32,
    /// Until more are left, in seconds.
    pub(crate) reset_seconds: u64,
    /// Whether this request is one too many.
    pub(crate) is_over: bool,
}

impl Standing {
    /// `RateLimit-Policy` and `RateLimit` (IETF draft, RateLimit header fields).
    pub(crate) fn headers(&self) -> (String, String) {
        let name = self.allowance.name();
        (
            format!("\"{name}\";q={};w={}", self.quota, self.window_seconds),
            format!("\"{name}\";r={};t={}", self.left, self.reset_seconds),
        )
    }
}

impl Allowance {
    /// As in headers and in `violated_policies`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Auth => "auth",
            Self::Status => "status",
            Self::Free => "free",
        }
    }
}

/// Counts requests on this node.
pub(crate) struct RateLimiter {
    limits: RateLimits,
    windows: Mutex<HashMap<(Source, Allowance), Window>>,
}

impl RateLimiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            windows: Mutex::new(HashMap::new()),
        }
    }

    /// The installation's quota.
    pub(crate) fn quota(&self, allowance: Allowance) -> u32 {
        match allowance {
            Allowance::Read => self.limits.read,
            Allowance::Write => self.limits.write,
            Allowance::Auth => self.limits.auth,
            Allowance::Status => self.limits.status,
            Allowance::Free => u32::MAX,
        }
    }

    /// Counts a request, unless it is one too many.
    pub(crate) fn take(&self, claim: Claim, now: Timestamp) -> Standing {
        self.look(claim, now, Count::One)
    }

    /// How a source stands, counting nothing.
    pub(crate) fn peek(&self, claim: Claim, now: Timestamp) -> Standing {
        self.look(claim, now, Count::Nothing)
    }

    fn look(&self, claim: Claim, now: Timestamp, count: Count) -> Standing {
        let Claim {
            source,
            allowance,
            quota,
        } = claim;
        let span_ms = self.span_ms();
        let span = now.ms().max(0) as u64 / span_ms;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= RATE_KEYS_MAX && !windows.contains_key(&(source, allowance)) {
            forget(&mut windows, span);
        }
        let window = windows.entry((source, allowance)).or_default();
        window.advance(span);
        let used = window.used();
        let is_over = used >= quota;
        if !is_over && matches!(count, Count::One) {
            window.add();
        }
        let used = window.used();
        Standing {
            allowance,
            quota,
            window_seconds: self.limits.window.as_secs(),
            left: quota.saturating_sub(used),
            reset_seconds: window.reset_ms(span_ms, now).div_ceil(1000).max(1),
            is_over,
        }
    }

    fn span_ms(&self) -> u64 {
        (self.limits.window.as_millis() as u64 / RATE_SPANS as u64).max(1)
    }
}

#[derive(Clone, Copy)]
enum Count {
    One,
    Nothing,
}

/// Makes room: idle counters go; if none is idle, all go, which forgives rather than refuses.
fn forget(windows: &mut HashMap<(Source, Allowance), Window>, span: u64) {
    windows.retain(|_, window| span.saturating_sub(window.span) <= RATE_SPANS as u64);
    if windows.len() >= RATE_KEYS_MAX {
        windows.clear();
    }
}

/// Requests by span, the newest first. One span more than a window has, because the newest is not full yet.
#[derive(Clone, Debug, Default)]
struct Window {
    span: u64,
    counts: [u32; RATE_SPANS + 1],
}

impl Window {
    fn advance(&mut self, span: u64) {
        let by = span.saturating_sub(self.span).min(self.counts.len() as u64) as usize;
        if by > 0 {
            self.counts.rotate_right(by);
            for count in self.counts.iter_mut().take(by) {
                *count = 0;
            }
            self.span = span;
        }
    }

    fn used(&self) -> u32 {
        self.counts
            .iter()
            .fold(0u32, |sum, count| sum.saturating_add(*count))
    }

    fn add(&mut self) {
        if let Some(newest) = self.counts.first_mut() {
            *newest = newest.saturating_add(1);
        }
    }

    /// Until the oldest counted requests are forgotten, in milliseconds.
    fn reset_ms(&self, span_ms: u64, now: Timestamp) -> u64 {
        let Some(oldest) = self.counts.iter().rposition(|count| *count > 0) else {
            return 0;
        };
        // A request of `oldest` spans ago leaves when its span is the one after the last that is kept.
        let leaves = self.span + (self.counts.len() - oldest) as u64;
        (leaves * span_ms).saturating_sub(now.ms().max(0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOURCE: Source = Source::Key(KeyId::from_bits(1));

    fn claim(source: Source, allowance: Allowance, quota: u32) -> Claim {
        Claim {
            source,
            allowance,
            quota,
        }
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_ms(1_795_252_440_000 + ms as i64)
    }

    proptest! {
        #[test]
        fn no_window_lets_more_through_than_its_quota(
            steps in prop::collection::vec(0u64..3000, 1..400),
            quota in 1u32..40,
        ) {
            let limiter = RateLimiter::new(RateLimits::default());
            let mut now = 0;
            let mut passed: Vec<u64> = Vec::new();
            for step in steps {
                now += step;
                let standing = limiter.take(claim(SOURCE, Allowance::Read, quota), at(now));
                if standing.is_over {
                    // Waiting as told is enough.
                    prop_assert!(standing.reset_seconds <= 66);
                    let later = limiter.peek(claim(SOURCE, Allowance::Read, quota), at(now + standing.reset_seconds * 1000));
                    prop_assert!(!later.is_over);
                    // The peek moved the window on, so time has to follow.
                    now += standing.reset_seconds * 1000;
                } else {
                    passed.push(now);
                    let in_window = passed.iter().filter(|then| now - **then < 60_000).count();
                    prop_assert!(in_window as u32 <= quota);
                    prop_assert!(standing.left < quota);
                }
            }
        }
    }

    #[test]
    fn sources_and_allowances_are_counted_apart() {
        let limiter = RateLimiter::new(RateLimits::default());
        assert!(
            !limiter
                .take(claim(SOURCE, Allowance::Read, 1), at(0))
                .is_over
        );
        assert!(
            limiter
                .take(claim(SOURCE, Allowance::Read, 1), at(0))
                .is_over
        );
        assert!(
            !limiter
                .take(claim(SOURCE, Allowance::Write, 1), at(0))
                .is_over
        );
        let other = Source::Key(KeyId::from_bits(2));
        assert!(
            !limiter
                .take(claim(other, Allowance::Read, 1), at(0))
                .is_over
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let source = |text: &str| text.parse().map(Source::address).ok();
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[test]
    fn headers_are_as_in_the_draft() {
        let limiter = RateLimiter::new(RateLimits::default());
        let standing = limiter.take(claim(SOURCE, Allowance::Write, 600), at(0));
        let (policy, left) = standing.headers();
        assert_eq!(policy, "\"write\";q=600;w=60");
        assert!(left.starts_with("\"write\";r=599;t="), "{left}");
    }
}
