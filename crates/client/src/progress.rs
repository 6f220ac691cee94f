use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::{Error, limit};

/// How far a transfer of bytes is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Bytes that the far side has made durable (upload), or that were verified and written (download).
    pub bytes_committed: u64,
    /// All bytes, when known.
    pub total_bytes: Option<u64>,
    /// Mean rate of this run in bytes per second.
    pub bytes_per_second: f64,
    /// Time left at that rate, in seconds, when it can be told.
    pub eta_seconds: Option<f64>,
}

/// Told about progress at most four times a second and once at the end. `Break` stops the transfer with
/// [`Error::Cancelled`].
pub type OnProgress = Box<dyn Fn(Progress) -> ControlFlow<()> + Send + Sync>;

/// Counts bytes and tells the caller's function.
pub(crate) struct Meter {
    committed: AtomicU64,
    at_start: AtomicU64,
    total_bytes: Option<u64>,
    began: Instant,
    last: Mutex<Option<Instant>>,
    tell: Option<OnProgress>,
}

impl Meter {
    pub(crate) fn new(total_bytes: Option<u64>, tell: Option<OnProgress>) -> Self {
        Self {
            committed: AtomicU64::new(0),
            at_start: AtomicU64::new(0),
            total_bytes,
            began: Instant::now(),
            last: Mutex::new(None),
            tell,
        }
    }

    /// Bytes that were there before this run; they count as done but not in the rate.
    pub(crate) fn skip(&self, bytes: u64) {
        self.committed.fetch_add(bytes, Ordering::Relaxed);
        self.at_start.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, bytes: u64) -> Result<(), Error> {
        self.committed.fetch_add(bytes, Ordering::Relaxed);
        let now = Instant::now();
        let due = self.last.lock().is_ok_and(|mut last| {
            let due = last.is_none_or(|last| now.duration_since(last) >= limit::PROGRESS_EVERY);
            if due {
                *last = Some(now);
            }
            due
        });
        if due { self.report() } else { Ok(()) }
    }

    /// The final report.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.report()
    }

    fn report(&self) -> Result<(), Error> {
        let Some(tell) = &self.tell else {
            return Ok(());
        };
        let progress = self.progress(self.began.elapsed());
        match tell(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }

    fn progress(&self, elapsed: Duration) -> Progress {
        let committed = self.committed.load(Ordering::Relaxed);
        let moved = committed.saturating_sub(self.at_start.load(Ordering::Relaxed));
        let seconds = elapsed.as_secs_f64();
        let bytes_per_second = if seconds > 0.0 {
            moved as f64 / seconds
        } else {
            0.0
        };
        let left = self
            .total_bytes
            .map(|total| total.saturating_sub(committed));
        Progress {
            bytes_committed: committed,
            total_bytes: self.total_bytes,
            bytes_per_second,
            eta_seconds: left
                .filter(|_| bytes_per_second > 0.0)
                .map(|left| left as f64 / bytes_per_second),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resumed_bytes_count_as_done_but_not_as_fast() {
        let meter = Meter::new(Some(100), None);
        meter.skip(50);
        assert!(meter.add(10).is_ok());
        let progress = meter.progress(Duration::from_secs(2));
        assert_eq!(progress.bytes_committed, 60);
        assert!((progress.bytes_per_second - 5.0).abs() < 1e-9);
        assert_eq!(progress.eta_seconds, Some(8.0));
    }

    #[test]
    fn a_break_stops_the_transfer() {
        let meter = Meter::new(None, Some(Box::new(|_| ControlFlow::Break(()))));
        assert!(matches!(meter.add(1), Err(Error::Cancelled)));
    }
}
