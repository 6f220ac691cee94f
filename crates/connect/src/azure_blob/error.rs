//! From the service's error codes to faults.

use reqwest::Response;

use crate::fault::{Fault, FaultKind, Result};
use crate::http;
use crate::limit;

/// `answer` if it succeeded, else what its error code says. `what` is what was asked for; `refused` is what a condition
/// that did not hold means for it.
pub(super) async fn expect(answer: Response, what: &str, refused: FaultKind) -> Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let code = http::header(&answer, http_header("x-ms-error-code")).unwrap_or_default();
    let kind = kind(code, status.as_u16(), refused);
    let (code, wait) = (code.to_owned(), http::wait(&answer));
    let words = match http::document(answer, limit::ANSWER_READ_BYTES_MAX).await {
        Ok(body) => message(&String::from_utf8_lossy(&body)),
        Err(_) => String::new(),
    };
    let plain = http::status_fault(status, what, &format!("{code} {words}"));
    let fault = match kind {
        Some(FaultKind::AuthFailed) => Fault::new(
            FaultKind::AuthFailed,
            format!("{plain}; if the credential is right, compare this machine's clock"),
        ),
        Some(kind) => Fault::new(kind, plain.message()),
        None => plain,
    };
    Err(fault.retry_after(wait))
}

pub(super) fn http_header(name: &'static str) -> ::http::HeaderName {
    ::http::HeaderName::from_static(name)
}

/// What `code` stands for, where the status alone would say less or something else.
fn kind(code: &str, status: u16, refused: FaultKind) -> Option<FaultKind> {
    Some(match code {
        "AuthenticationFailed"
        | "NoAuthenticationInformation"
        | "InvalidAuthenticationInfo"
        | "AccountIsDisabled"
        | "AuthorizationFailure" => FaultKind::AuthFailed,
        "BlobAlreadyExists" => FaultKind::Exists,
        "InvalidBlockList"
        | "InvalidBlobOrBlock"
        | "BlobNotFound"
        | "ContainerNotFound"
        | "ResourceNotFound"
        | "CannotVerifyCopySource" => FaultKind::NotFound,
        "Md5Mismatch" | "Crc64Mismatch" => FaultKind::ConnectionLost,
        "BlobImmutableDueToPolicy" | "LeaseIdMissing" | "LeaseIdMismatchWithBlobOperation" => {
            FaultKind::PermissionDenied
        }
        "BlobArchived"
        | "BlobBeingRehydrated"
        | "InvalidBlobType"
        | "UnsupportedHeader"
        | "FeatureNotSupported" => FaultKind::Unsupported,
        "ContainerBeingDeleted" | "ServerBusy" | "InternalError" | "OperationTimedOut" => {
            FaultKind::Busy
        }
        "BlockCountExceedsLimit" => FaultKind::OutOfSpace,
        "ConditionNotMet" | "SourceConditionNotMet" | "TargetConditionNotMet" => refused,
        _ if status == 412 => refused,
        _ => return None,
    })
}

/// The sentence in an error document.
fn message(document: &str) -> String {
    let inner = document
        .split_once("<Message>")
        .and_then(|(_, rest)| rest.split_once("</Message>"));
    let text = inner.map_or("", |(text, _)| text);
    text.lines().next().unwrap_or_default().to_owned()
}
