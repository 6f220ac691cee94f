//! HashiCorp Vault: the key-value engine, version 2.

use bailee_model::SecretSource;
use http::Method;
use secrecy::{ExposeSecret, SecretString};

use super::{ANSWER_BYTES_MAX, below, client, parsed, text};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::{document, expect};

pub(super) async fn read(
    source: &SecretSource,
    token: &SecretString,
    guard: &EgressGuard,
) -> Result<SecretString> {
    let SecretSource::Vault {
        url,
        mount,
        path,
        key,
        namespace,
        ca_pem,
    } = source
    else {
        return Err(Fault::new(FaultKind::Invalid, "no secret of Vault"));
    };
    let client = client(guard, ca_pem.as_deref())?;
    let segments = ["v1"]
        .into_iter()
        .chain(mount.split('/'))
        .chain(["data"])
        .chain(path.split('/'))
        .filter(|part| !part.is_empty());
    let mut request = client
        .request(Method::GET, below(url, segments)?)
        .header("x-vault-token", token.expose_secret())
        .header("x-vault-request", "true");
    if let Some(namespace) = namespace {
        request = request.header("x-vault-namespace", namespace);
    }
    let answer = client.send(request).await?;
    let answer = expect(answer, "reading the secret from Vault").await?;
    let answer = parsed(&document(answer, ANSWER_BYTES_MAX).await?)?;
    let value = answer.pointer("/data/data").and_then(|data| data.get(key));
    text(value, &format!("entry `{key}` in the secret of Vault"))
}
