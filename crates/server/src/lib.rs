//! The server: settings, TLS, the HTTPS listener, logs, the development mode, and the wiring of all crates below.
//!
//! What is wired here comes from the crates below; nothing here decides who may do what.

mod commands;
pub mod config;
pub mod dev;
pub mod dev_ca;
pub mod listen;
pub mod log;
mod machine_secrets;
pub mod open;
pub mod reference;
pub mod serve;
pub mod system;
pub mod tls;

pub use commands::{ConfigCommand, LocalCommand, OperatorCommand, PlaceArgs, VaultCommand, run};
pub use dev::DevInfo;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The API document as it is checked in.
pub fn api_document() -> String {
    bailee_http::document_json()
}

/// Collects metrics for `/metrics`.
pub(crate) fn metrics_recorder() -> anyhow::Result<PrometheusHandle> {
    let time = Matcher::Full(bailee_http::REQUEST_SECONDS.to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(time, &bailee_http::REQUEST_SECONDS_BUCKETS)?;
    Ok(builder.install_recorder()?)
}
