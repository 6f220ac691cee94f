//! The database layer on SQLite, and on PostgreSQL too if `BAILEE_TEST_POSTGRES_URL` names a server on which the role
//! may make roles and databases (`postgres://postgres@127.0.0.1:5432/postgres`). Each test has a database of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod batch;
mod home;
mod kit;
mod migration;
mod script;
mod statements;
mod tenant;
mod upload;
