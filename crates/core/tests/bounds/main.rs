//! What bounds people and programs, and what is judged by rows that others change at the same time.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod kit;
mod limits;
mod races;
