//! How work is asked to stop, and why.

use std::future::Future;
use std::sync::{Arc, OnceLock};

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
    /// Its checkpoint could not be stored.
    Unsaved,
}

/// A request to stop that the work looks at. The first reason counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<StopReason>>,
}

impl Stop {
    /// Asks to stop.
    pub(crate) fn because(&self, reason: StopReason) {
        // Only the first reason is kept: what follows is its echo.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    /// Why the work is to stop, if it is.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        self.reason.get().copied()
    }

    /// Fails if the work is to stop.
    pub(crate) fn check(&self) -> Result<(), StopReason> {
        self.reason().map_or(Ok(()), Err)
    }

    /// What `work` brings, unless the request to stop comes first. Work that must not be cut in the middle does not go
    /// through here.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, StopReason> {
        tokio::select! {
            biased;
            () = self.token.cancelled() => Err(self.reason().unwrap_or(StopReason::Lost)),
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
}
