//! Secrets where others keep them: HashiCorp Vault, AWS Secrets Manager, Azure Key Vault. Read only, over the guarded
//! client; answers are small and held, values never shown.

mod aws;
mod azure;
mod vault;

use bailee_model::{SecretSource, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::HttpClient;
use crate::tls::TlsOptions;

/// Largest answer of a store.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Reads a secret where it is kept. `credential` signs in there.
pub async fn read_secret(
    source: &SecretSource,
    credential: &SecretString,
    guard: &EgressGuard,
    now: Timestamp,
) -> Result<SecretString> {
    match source {
        SecretSource::Vault { .. } => vault::read(source, credential, guard).await,
        SecretSource::AwsSecretsManager { .. } => aws::read(source, credential, guard, now).await,
        SecretSource::AzureKeyVault { .. } => azure::read(source, credential, guard).await,
        SecretSource::Value | SecretSource::Env { .. } | SecretSource::File { .. } => {
            Err(Fault::new(FaultKind::Invalid, "this secret is in no store"))
        }
    }
}

fn client(guard: &EgressGuard, ca_pem: Option<&str>) -> Result<HttpClient> {
    let options = TlsOptions {
        extra_roots_pem: ca_pem.unwrap_or_default().to_owned(),
        ..TlsOptions::default()
    };
    HttpClient::new(guard, &options, None)
}

fn url(text: &str) -> Result<Url> {
    Url::parse(text)
        .map_err(|error| Fault::new(FaultKind::Invalid, "the store's URL is none").because(error))
}

/// `base` with further segments, each encoded.
fn below<'a>(base: &str, segments: impl IntoIterator<Item = &'a str>) -> Result<Url> {
    let mut url = url(base)?;
    url.path_segments_mut()
        .map_err(|()| Fault::new(FaultKind::Invalid, "the store's URL has no path"))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

/// An answer as JSON; what it holds is not shown where it is none.
fn parsed(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|_| Fault::protocol("the store's answer is not JSON"))
}

/// A text of an answer.
fn text(value: Option<&Value>, what: &str) -> Result<SecretString> {
    match value {
        Some(Value::String(text)) => Ok(SecretString::from(text.clone())),
        Some(_) => Err(Fault::new(FaultKind::Invalid, format!("{what} is no text"))),
        None => Err(Fault::new(
            FaultKind::NotFound,
            format!("there is no {what}"),
        )),
    }
}
