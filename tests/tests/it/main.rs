//! Everything is tested through the API of the real program: routes, rules that hold for all of them, and faults.
//!
//! Each test starts a server of its own with its own data folder and, when `BAILEE_TEST_DATABASE` is `postgres`, its own
//! database. A server that is dropped must have nothing to complain about: see `kit::Server`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod connect;
mod faults;
mod kit;
mod matrix;
mod routes;
