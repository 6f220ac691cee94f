//! From the service's errors to faults.

use reqwest::Response;
use serde::Deserialize;

use crate::fault::{Fault, FaultKind, Result};
use crate::http;
use crate::limit;

#[derive(Deserialize)]
struct Document {
    error: Said,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// `answer` if it succeeded, else what it says. `what` is what was asked for; `refused` is what a condition that did not
/// hold means for it.
pub(super) async fn expect(answer: Response, what: &str, refused: FaultKind) -> Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let wait = http::wait(&answer);
    let body = http::document(answer, limit::ANSWER_READ_BYTES_MAX).await;
    let said = body
        .ok()
        .and_then(|body| serde_json::from_slice::<Document>(&body).ok())
        .map(|document| document.error);
    let reason = said
        .as_ref()
        .and_then(|said| Some(said.errors.first()?.reason.as_str()))
        .unwrap_or_default();
    let words = said.as_ref().map_or("", |said| said.message.as_str());
    let plain = http::status_fault(status, what, words);
    let kind = match (status.as_u16(), reason) {
        (403 | 429, "rateLimitExceeded" | "userRateLimitExceeded") => FaultKind::Busy,
        (403, "quotaExceeded" | "storageQuotaExceeded") => FaultKind::OutOfSpace,
        (304 | 412, _) => refused,
        (499, _) => FaultKind::NotFound,
        _ => plain.kind().clone(),
    };
    Err(Fault::new(kind, plain.message()).retry_after(wait))
}
