//! What the vault promises, tested through its public face.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod golden;
mod keys;
mod kit;
mod lifecycle;
mod round_trip;
mod tamper;
