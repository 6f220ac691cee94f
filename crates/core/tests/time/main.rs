//! What happens by itself, under a clock that is moved by hand: schedules and alerts.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod alerts;
mod kit;
mod schedules;
