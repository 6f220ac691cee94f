use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Judges how fast the other side moves bytes: less than `bytes_min` in `window` of waiting is too slow.
///
/// Only time spent waiting counts, so our own slowness is never held against a peer, and a peer that brings one byte
/// now and then does not start afresh with each. Nothing at all in a window is the idle case of the same rule.
///
/// A task that comes to run late takes its own delay for waiting. So nobody is judged at the moment bytes arrive, but
/// after a further eighth of the window without any, or when the waits come to two windows.
pub(crate) struct Pace {
    window: Duration,
    bytes_min: u64,
    moved_bytes: u64,
    waited: Duration,
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(crate) fn new(window: Duration, bytes_min: u64) -> Self {
        Self {
            window,
            bytes_min: bytes_min.max(1),
            moved_bytes: 0,
            waited: Duration::ZERO,
            waiting_since: None,
            timer: None,
        }
    }

    /// The other side moved `bytes`.
    pub(crate) fn progress(&mut self, bytes: usize) {
        self.progress_at(Instant::now(), bytes);
    }

    /// The other side lets us wait. Ready when it has done so for too long; otherwise the task is woken in time.
    pub(crate) fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let left = self.left_at(now);
        if left.is_zero() {
            return Poll::Ready(());
        }
        let deadline = now + left;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // A timer that fires early costs one look; moving it at every wait would cost more.
        if timer.deadline() > deadline || timer.is_elapsed() {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    fn progress_at(&mut self, now: Instant, bytes: usize) {
        if let Some(since) = self.waiting_since.take() {
            self.waited += now.duration_since(since);
        }
        self.moved_bytes = self.moved_bytes.saturating_add(bytes as u64);
        if self.moved_bytes >= self.bytes_min {
            self.moved_bytes = 0;
            self.waited = Duration::ZERO;
        }
    }

    /// How long the other side may let us wait from `now` on; a wait begins with the first question.
    fn left_at(&mut self, now: Instant) -> Duration {
        let since = *self.waiting_since.get_or_insert(now);
        let this_wait = now.duration_since(since);
        let waited = self.waited + this_wait;
        let benefit = (self.window / 8).saturating_sub(this_wait);
        let benefit = benefit.min((self.window * 2).saturating_sub(waited));
        self.window.saturating_sub(waited).max(benefit)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(8);

    /// A pace on a clock of its own.
    struct Told {
        pace: Pace,
        now: Instant,
    }

    impl Told {
        fn new() -> Self {
            Self {
                pace: Pace::new(WINDOW, 100),
                now: Instant::now(),
            }
        }

        /// Waits for `seconds`; whether the other side is still borne with.
        fn waits(&mut self, seconds: u64) -> bool {
            let time = Duration::from_secs(seconds);
            let left = self.pace.left_at(self.now);
            self.passes(seconds);
            left > time
        }

        /// Time in which nobody looks.
        fn passes(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }

        fn moves(&mut self, bytes: usize) {
            self.pace.progress_at(self.now, bytes);
        }
    }

    #[tokio::test]
    async fn silence_is_too_slow_after_one_window() {
        let window = Duration::from_millis(20);
        let mut pace = Pace::new(window, 100);
        let start = Instant::now();
        poll_fn(|cx| pace.poll_too_slow(cx)).await;
        assert!(start.elapsed() >= window);
    }

    #[test]
    fn a_drip_does_not_start_afresh_but_a_mouthful_does() {
        let mut told = Told::new();
        for _ in 0..2 {
            assert!(told.waits(3));
            told.moves(1);
        }
        assert!(!told.waits(3));

        let mut told = Told::new();
        for _ in 0..5 {
            assert!(told.waits(3));
            told.moves(100);
        }
    }

    #[test]
    fn nobody_is_judged_for_coming_to_run_late_but_not_for_ever() {
        let mut told = Told::new();
        assert!(told.waits(0));
        told.passes(8);
        told.moves(50);
        assert!(told.waits(0));
        told.moves(50);
        assert!(told.waits(3));
        told.moves(1);
        for _ in 0..2 {
            assert!(told.waits(0));
            told.passes(8);
            told.moves(1);
        }
        assert!(!told.waits(0));
    }

    #[test]
    fn time_that_we_take_ourselves_does_not_count() {
        let mut told = Told::new();
        assert!(told.waits(1));
        told.moves(1);
        told.passes(8);
        assert!(told.waits(6));
    }
}
