//! What happens by itself, under a clock that is moved by hand: schedules and alerts.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod alerts;
mod kit;
mod schedules;
