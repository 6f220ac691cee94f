//! How work is asked to stop, and why.

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why work stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// This node is about to stop; the work is handed back.
    Drain,
    /// The lease is lost: another runner may be at work, and nothing may be written any more.
    Lost,
    /// Somebody cancelled or paused it.
    Steered,
    /// Its deadline passed.
    Deadline,
    /// A remote may not be used at this time of the day.
    Closed,
    /// Its checkpoint could not be stored.
    Unsaved,
}

/// A request to stop that the work looks at. The first reason counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<StopReason>>,
    held_until: Arc<Mutex<Option<Instant>>>,
}

impl Stop {
    /// Asks to stop.
    pub(crate) fn because(&self, reason: StopReason) {
        // Only the first reason is kept: what follows is its echo.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    /// Says until when the lease is surely held. Past that the work counts as stopped, even before anybody looked: a
    /// node that was frozen must not take one more step when it wakes up.
    pub(crate) fn hold_until(&self, until: Instant) {
        *self
            .held_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Why the work is to stop, if it is.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        self.reason.get().copied()
    }

    /// Fails if the work is to stop.
    pub(crate) fn check(&self) -> Result<(), StopReason> {
        let held_until = *self
            .held_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if held_until.is_some_and(|until| Instant::now() >= until) {
            self.because(StopReason::Lost);
        }
        self.reason().map_or(Ok(()), Err)
    }

    /// Returns when the work is to stop.
    pub(crate) async fn stopped(&self) -> StopReason {
        self.token.cancelled().await;
        self.reason().unwrap_or(StopReason::Lost)
    }

    /// What `work` brings, unless the request to stop comes first. Work that must not be cut in the middle does not go
    /// through here.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, StopReason> {
        self.check()?;
        tokio::select! {
            biased;
            reason = self.stopped() => Err(reason),
            done = work => Ok(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_counts() {
        let stop = Stop::default();
        assert_eq!(stop.or(async { 7 }).await, Ok(7));
        stop.because(StopReason::Drain);
        stop.because(StopReason::Lost);
        assert_eq!(stop.check(), Err(StopReason::Drain));
        assert_eq!(
            stop.or(std::future::pending::<()>()).await,
            Err(StopReason::Drain)
        );
    }

    #[tokio::test]
    async fn a_node_that_was_frozen_takes_no_step_more() {
        let stop = Stop::default();
        stop.hold_until(Instant::now() + std::time::Duration::from_secs(15));
        assert_eq!(stop.or(async { 7 }).await, Ok(7));
        stop.hold_until(Instant::now());
        assert_eq!(stop.or(async { 7 }).await, Err(StopReason::Lost));
    }
}
