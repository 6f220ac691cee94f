use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::DbError;

pub(super) type Connector = MakeRustlsConnect;

/// TLS that verifies the server against the operating system's roots.
pub(super) fn connector() -> Result<Connector, DbError> {
    // The provider is named here rather than taken from the process: no global state.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| DbError::Refused(format!("no TLS for the database: {error}")))?;
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}
