//! From Bailee's problems to faults.

use std::time::Duration;

use http::{HeaderName, StatusCode};
use reqwest::Response;
use serde::Deserialize;

use crate::fault::{Fault, FaultKind, Result, far_words};
use crate::http::{document, header, status_fault};
use crate::limit;

/// The code of a problem whose answer has no body.
const BAILEE_PROBLEM: HeaderName = HeaderName::from_static("bailee-problem");

/// What of a problem is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
    retryable: bool,
    retry_after: Option<u64>,
}

/// `answer` if it succeeded, else the fault that its problem stands for.
pub(super) async fn expect(answer: Response, what: &str) -> Result<Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    Err(refused(answer, what).await)
}

/// The same, with `None` where nothing is there.
pub(super) async fn found(answer: Response, what: &str) -> Result<Option<Response>> {
    match expect(answer, what).await {
        Ok(answer) => Ok(Some(answer)),
        Err(fault) if fault.kind() == &FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

async fn refused(answer: Response, what: &str) -> Fault {
    let status = answer.status();
    let named = header(&answer, BAILEE_PROBLEM)
        .unwrap_or_default()
        .to_owned();
    let body = document(answer, limit::ANSWER_READ_BYTES_MAX).await;
    let problem = body
        .ok()
        .and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
    let Some(problem) = problem.or_else(|| named_only(named)) else {
        // Something before it answered: a proxy, or no Bailee at all.
        return status_fault(status, what, "");
    };
    let words = format!("{}: {}", problem.code, problem.detail);
    let kind = kind(status, &problem);
    Fault::new(
        kind,
        format!("{what}: Bailee answered {}", far_words(&words)),
    )
    .retry_after(problem.retry_after.map(Duration::from_secs))
}

fn named_only(code: String) -> Option<Problem> {
    (!code.is_empty()).then(|| Problem {
        code,
        ..Problem::default()
    })
}

fn kind(status: StatusCode, problem: &Problem) -> FaultKind {
    match problem.code.as_str() {
        "file_exists" | "destination_exists" | "name_taken" => FaultKind::Exists,
        "upload_expired" => FaultKind::NotFound,
        "etag_mismatch" => FaultKind::Changed,
        "file_too_large" | "quota_exceeded" | "storage_full" => FaultKind::OutOfSpace,
        "digest_mismatch" | "size_mismatch" | "parts_missing" => FaultKind::Protocol,
        "name_not_allowed" | "invalid_path" | "content_type_mismatch" => FaultKind::Invalid,
        "state_conflict" => FaultKind::Io,
        _ if problem.retryable => FaultKind::Busy,
        _ => match status.as_u16() {
            400 | 422 => FaultKind::Invalid,
            409 => FaultKind::Io,
            _ => status_fault(status, "", "").kind().clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_statuses() {
        let kind = |status, code: &str, retryable| {
            let problem = Problem {
                code: code.to_owned(),
                retryable,
                ..Problem::default()
            };
            kind(StatusCode::from_u16(status).unwrap_or_default(), &problem)
        };
        assert_eq!(kind(409, "file_exists", false), FaultKind::Exists);
        assert_eq!(kind(409, "state_conflict", false), FaultKind::Io);
        assert_eq!(kind(410, "upload_expired", false), FaultKind::NotFound);
        assert_eq!(
            kind(401, "credential_expired", false),
            FaultKind::AuthFailed
        );
        assert_eq!(
            kind(403, "policy_denied", false),
            FaultKind::PermissionDenied
        );
        assert_eq!(kind(404, "folder_not_found", false), FaultKind::NotFound);
        assert_eq!(kind(413, "quota_exceeded", false), FaultKind::OutOfSpace);
        assert_eq!(kind(429, "rate_limited", true), FaultKind::Busy);
        assert_eq!(kind(503, "something_new", true), FaultKind::Busy);
        assert_eq!(kind(422, "something_new", false), FaultKind::Invalid);
    }
}
