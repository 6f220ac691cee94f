use bailee_model::{Error, Result, SecretSource, limit};
use secrecy::{ExposeSecret, SecretString};

use crate::CoreSettings;

/// Longest URL.
const URL_BYTES_MAX: usize = 2048;
/// Longest text of certificates.
const PEM_BYTES_MAX: usize = 64 * 1024;

/// Whether a source can be one; of this machine only what the operator allows. Whether an address of the network may be
/// connected to is judged at each connection.
pub(super) fn check_source(source: &SecretSource, settings: &CoreSettings) -> Result<()> {
    match source {
        SecretSource::Value => Ok(()),
        SecretSource::Env { variable } => {
            let mut allowed = settings.secret_variables.iter();
            let is_allowed = allowed.any(|allowed| allowed == variable);
            is_allowed
                .then_some(())
                .ok_or_else(|| not_allowed("#/variable", "variable"))
        }
        SecretSource::File { path } => {
            let is_plain = path.split('/').all(|part| part != "..");
            let within = |folder: &String| {
                let rest = path.strip_prefix(folder.trim_end_matches('/'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let is_allowed = is_plain && settings.secret_files.iter().any(within);
            is_allowed
                .then_some(())
                .ok_or_else(|| not_allowed("#/path", "file"))
        }
        SecretSource::Vault {
            url,
            mount,
            path,
            key,
            namespace,
            ca_pem,
        } => {
            url_of("#/url", url)?;
            word("#/mount", mount)?;
            word("#/path", path)?;
            word("#/key", key)?;
            optional(namespace.as_ref(), |text| word("#/namespace", text))?;
            match ca_pem {
                Some(pem) if pem.len() > PEM_BYTES_MAX || !pem.contains("-----BEGIN") => Err(
                    Error::field("#/ca_pem", "invalid", "Must be certificates in PEM."),
                ),
                _ => Ok(()),
            }
        }
        SecretSource::AwsSecretsManager {
            endpoint,
            region,
            secret,
            key,
            access_key_id,
        } => {
            optional(endpoint.as_ref(), |url| url_of("#/endpoint", url))?;
            host_word("#/region", region)?;
            word("#/secret", secret)?;
            optional(key.as_ref(), |text| word("#/key", text))?;
            word("#/access_key_id", access_key_id)
        }
        SecretSource::AzureKeyVault {
            url,
            secret,
            version,
            directory_id,
            client_id,
            authority_url,
        } => {
            url_of("#/url", url)?;
            host_word("#/secret", secret)?;
            optional(version.as_ref(), |text| host_word("#/version", text))?;
            host_word("#/directory_id", directory_id)?;
            host_word("#/client_id", client_id)?;
            optional(authority_url.as_ref(), |url| url_of("#/authority_url", url))
        }
    }
}

/// Whether what is to be sealed is there exactly where something is.
pub(super) fn check_sealed(source: &SecretSource, sealed: Option<&SecretString>) -> Result<()> {
    let pointer = match source {
        SecretSource::Value => "#/value",
        SecretSource::Vault { .. } => "#/token",
        SecretSource::AwsSecretsManager { .. } => "#/secret_access_key",
        SecretSource::AzureKeyVault { .. } => "#/client_secret",
        SecretSource::Env { .. } | SecretSource::File { .. } => return Ok(()),
    };
    let bytes = sealed.map_or(0, |text| text.expose_secret().len());
    if (1..=limit::SECRET_BYTES_MAX).contains(&bytes) {
        return Ok(());
    }
    let detail = format!("Must be 1 to {} bytes.", limit::SECRET_BYTES_MAX);
    Err(Error::field(pointer, "out_of_range", detail))
}

fn optional(text: Option<&String>, check: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    text.map_or(Ok(()), |text| check(text))
}

fn not_allowed(pointer: &str, what: &str) -> Error {
    let detail = format!("The operator of this installation does not allow this {what}.");
    Error::field(pointer, "not_allowed", detail)
}

fn url_of(pointer: &str, text: &str) -> Result<()> {
    let is_fit = text.len() <= URL_BYTES_MAX
        && (text.starts_with("https://") || text.starts_with("http://"))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && !text.contains(['?', '#', '@']);
    if is_fit {
        return Ok(());
    }
    let detail = "Must be a URL without user, query and fragment, such as `https://vault.example`.";
    Err(Error::field(pointer, "invalid", detail))
}

fn word(pointer: &str, text: &str) -> Result<()> {
    let is_fit = !text.is_empty()
        && text.len() <= limit::TEXT_BYTES_MAX
        && !text.chars().any(char::is_control)
        && text.split('/').all(|part| part != "..");
    if is_fit {
        return Ok(());
    }
    Err(Error::field(pointer, "invalid", "Must be a short text."))
}

/// What becomes part of a host name or path as it is.
fn host_word(pointer: &str, text: &str) -> Result<()> {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if (1..=127).contains(&text.len()) && text.chars().all(letters) && !text.starts_with('.') {
        return Ok(());
    }
    let detail = "Must be letters, digits, hyphens and points.";
    Err(Error::field(pointer, "invalid", detail))
}
