//! The server: settings, TLS, the HTTPS listener, logs and the development certificate.
//!
//! What is wired to it (store, core, routes, jobs) comes from the crates below. Nothing here decides who may do what.

pub mod config;
pub mod dev_ca;
pub mod listen;
pub mod log;
pub mod tls;
