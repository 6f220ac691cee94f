//! AWS Secrets Manager: one signed request.

use aws_lc_rs::digest::{SHA256, digest};
use bailee_model::{SecretSource, Timestamp};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{ANSWER_BYTES_MAX, client, parsed, text, url};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::{document, expect};
use crate::s3::{Ask, Payload, Signer};

pub(super) async fn read(
    source: &SecretSource,
    secret_access_key: &SecretString,
    guard: &EgressGuard,
    now: Timestamp,
) -> Result<SecretString> {
    let SecretSource::AwsSecretsManager {
        endpoint,
        region,
        secret,
        key,
        access_key_id,
    } = source
    else {
        return Err(Fault::new(FaultKind::Invalid, "no secret of AWS"));
    };
    let place = match endpoint {
        Some(endpoint) => url(endpoint)?,
        None => url(&format!("https://secretsmanager.{region}.amazonaws.com/"))?,
    };
    let body = json!({ "SecretId": secret }).to_string();
    let hash = hex::encode(digest(&SHA256, body.as_bytes()));
    let ask = Ask::new(Method::POST, place)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "secretsmanager.GetSecretValue")
        .body(body.len() as u64, Payload::Digest(hash));
    let signer = Signer {
        access_key_id: access_key_id.clone(),
        secret_access_key: secret_access_key.clone(),
        session_token: None,
        region: region.clone(),
        service: "secretsmanager",
    };
    let ask = signer.sign(ask, now);
    let client = client(guard, None)?;
    let mut request = client.request(ask.method, ask.url).body(body);
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    let answer = client.send(request).await?;
    let answer = expect(answer, "reading the secret from AWS Secrets Manager")
        .await
        .map_err(missing)?;
    let answer = parsed(&document(answer, ANSWER_BYTES_MAX).await?)?;
    let whole = text(answer.get("SecretString"), "text in the secret of AWS")?;
    let Some(key) = key else { return Ok(whole) };
    let entries: Value = serde_json::from_str(whole.expose_secret())
        .map_err(|_| Fault::new(FaultKind::Invalid, "the secret of AWS is not JSON"))?;
    text(
        entries.get(key),
        &format!("entry `{key}` in the secret of AWS"),
    )
}

/// Its refusals are all 400; their words tell them apart.
fn missing(fault: Fault) -> Fault {
    let words = fault.to_string();
    let kind = if words.contains("ResourceNotFoundException") {
        FaultKind::NotFound
    } else if words.contains("AccessDenied") {
        FaultKind::PermissionDenied
    } else if words.contains("UnrecognizedClient") || words.contains("InvalidSignature") {
        FaultKind::AuthFailed
    } else if words.contains("Throttling") {
        FaultKind::Busy
    } else {
        return fault;
    };
    Fault::new(kind, words)
}
