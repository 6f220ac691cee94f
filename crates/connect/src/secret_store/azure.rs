//! Azure Key Vault: a token for the application, then the secret.

use bailee_model::SecretSource;
use http::Method;
use secrecy::{ExposeSecret, SecretString};

use super::{ANSWER_BYTES_MAX, below, client, parsed, text};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::{document, expect};

const FORMAT_VERSION: &str = "7.4";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const SCOPE: &str = "https://vault.azure.net/.default";

pub(super) async fn read(
    source: &SecretSource,
    client_secret: &SecretString,
    guard: &EgressGuard,
) -> Result<SecretString> {
    let SecretSource::AzureKeyVault {
        url,
        secret,
        version,
        directory_id,
        client_id,
        authority_url,
    } = source
    else {
        return Err(Fault::new(FaultKind::Invalid, "no secret of Azure"));
    };
    let client = client(guard, None)?;
    let authority = authority_url.as_deref().unwrap_or(AUTHORITY);
    let place = below(
        authority,
        [directory_id.as_str(), "oauth2", "v2.0", "token"],
    )?;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", client_id)
        .append_pair("client_secret", client_secret.expose_secret())
        .append_pair("scope", SCOPE)
        .finish();
    let request = client
        .request(Method::POST, place)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let answer = client.send(request).await?;
    let answer = expect(answer, "signing in for Azure Key Vault")
        .await
        .map_err(refused)?;
    let answer = parsed(&document(answer, ANSWER_BYTES_MAX).await?)?;
    let token = text(answer.get("access_token"), "token in Azure's answer")?;

    let segments = ["secrets", secret.as_str()]
        .into_iter()
        .chain(version.as_deref());
    let mut place = below(url, segments)?;
    place
        .query_pairs_mut()
        .append_pair("api-version", FORMAT_VERSION);
    let request = client
        .request(Method::GET, place)
        .bearer_auth(token.expose_secret());
    let answer = client.send(request).await?;
    let answer = expect(answer, "reading the secret from Azure Key Vault").await?;
    let answer = parsed(&document(answer, ANSWER_BYTES_MAX).await?)?;
    text(answer.get("value"), "value in the secret of Azure")
}

/// The authority answers 400 to an application or a secret of one that it does not know.
fn refused(fault: Fault) -> Fault {
    let words = fault.to_string();
    if words.contains("invalid_client") || words.contains("unauthorized_client") {
        return Fault::new(FaultKind::AuthFailed, words);
    }
    fault
}
