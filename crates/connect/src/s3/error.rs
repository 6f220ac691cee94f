//! From the protocol's error codes to faults.

use bytes::Bytes;
use reqwest::Response;

use super::limits;
use super::xml::{self, Refusal};
use crate::fault::{Fault, FaultKind, Result, far_words};
use crate::http;
use crate::limit;

/// `answer` if it succeeded, else what its error code says. `what` is what was asked for; `refused` is what a condition
/// that did not hold means for it.
pub(super) async fn expect(answer: Response, what: &str, refused: &FaultKind) -> Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let wait = http::wait(&answer);
    let region = header(&answer, "x-amz-bucket-region").to_owned();
    // A body that cannot be read takes nothing from what the status says.
    let body = http::document(answer, limit::ANSWER_READ_BYTES_MAX)
        .await
        .unwrap_or_default();
    let fault = match xml::refusal(&body) {
        Some(refusal) => said(&refusal, what, refused).unwrap_or_else(|| {
            let words = format!("{}: {}", refusal.code, refusal.message);
            http::status_fault(status, what, &words)
        }),
        None if status == 412 => Fault::new(refused.clone(), unfulfilled(what)),
        None if status.is_redirection() && !region.is_empty() => elsewhere(what, &region),
        None => http::status_fault(status, what, ""),
    };
    Err(fault.retry_after(wait))
}

/// The document of an answer that succeeded. This protocol also says "200" and then an error.
pub(super) async fn document(answer: Response, what: &str, refused: &FaultKind) -> Result<Bytes> {
    let body = http::document(answer, limit::DOCUMENT_BYTES_MAX).await?;
    let Some(refusal) = xml::refusal(&body) else {
        return Ok(body);
    };
    Err(said(&refusal, what, refused).unwrap_or_else(|| {
        let words = words(&refusal);
        let message = format!("{what}: the far system said that it did, and then {words}");
        Fault::new(FaultKind::Io, message)
    }))
}

pub(super) fn header<'a>(answer: &'a Response, name: &'static str) -> &'a str {
    http::header(answer, ::http::HeaderName::from_static(name)).unwrap_or_default()
}

fn words(refusal: &Refusal) -> String {
    far_words(&format!("{}: {}", refusal.code, refusal.message))
}

fn unfulfilled(what: &str) -> String {
    format!("{what}: another file is there than was expected")
}

fn elsewhere(what: &str, place: &str) -> Fault {
    let place = far_words(place);
    let message =
        format!("{what}: the bucket is elsewhere ({place}); set region and endpoint to it");
    Fault::new(FaultKind::Invalid, message)
}

/// What the code stands for, where it says more than the status.
fn said(refusal: &Refusal, what: &str, refused: &FaultKind) -> Option<Fault> {
    let kind = match refusal.code.as_str() {
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "InvalidSecurity"
        | "InvalidClientTokenId"
        | "AuthFailure" => FaultKind::AuthFailed,
        "RequestTimeTooSkewed" | "RequestExpired" => {
            let message = format!(
                "{what}: this machine's clock and the far system's differ too much; set the clock ({})",
                words(refusal)
            );
            return Some(Fault::new(FaultKind::AuthFailed, message));
        }
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "NotSignedUp"
        | "InvalidPayer" | "UnauthorizedAccess" | "ObjectLocked" => FaultKind::PermissionDenied,
        "NoSuchKey" | "NoSuchUpload" | "NoSuchBucket" | "NoSuchVersion" | "NotFound" => {
            FaultKind::NotFound
        }
        "SlowDown"
        | "ServiceUnavailable"
        | "InternalError"
        | "Busy"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "OperationAborted"
        | "ConditionalRequestConflict"
        | "SlowDownRead"
        | "SlowDownWrite" => FaultKind::Busy,
        "RequestTimeout" => FaultKind::Timeout,
        // Bytes that changed on the way are sent again.
        "BadDigest"
        | "XAmzContentSHA256Mismatch"
        | "XAmzContentChecksumMismatch"
        | "IncompleteBody" => FaultKind::ConnectionLost,
        "InvalidPart" | "InvalidPartOrder" => FaultKind::OffsetBeyondEnd,
        "EntityTooLarge"
        | "QuotaExceeded"
        | "StorageFull"
        | "XMinioStorageFull"
        | "XMinioAdminBucketQuotaExceeded"
        | "InsufficientCapacity"
        | "StorageQuotaExceeded" => FaultKind::OutOfSpace,
        "NotImplemented" | "MethodNotAllowed" | "InvalidObjectState" => FaultKind::Unsupported,
        "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "Redirect"
            if !refusal.elsewhere.is_empty() =>
        {
            return Some(elsewhere(what, &refusal.elsewhere));
        }
        "AuthorizationHeaderMalformed"
        | "InvalidBucketName"
        | "KeyTooLongError"
        | "InvalidArgument"
        | "InvalidRequest"
        | "InvalidStorageClass"
        | "EntityTooSmall"
        | "KMS.NotFoundException"
        | "KMS.DisabledException" => FaultKind::Invalid,
        "PreconditionFailed" => return Some(Fault::new(refused.clone(), unfulfilled(what))),
        _ => return None,
    };
    let message = format!("{what}: {}", words(refusal));
    Some(Fault::new(kind, message))
}

/// A text of the far side's that goes on to be part of a request, if it is fit for that.
pub(super) fn fit(text: &str, bytes_max: usize) -> Result<String> {
    let is_fit =
        !text.is_empty() && text.len() <= bytes_max && text.bytes().all(|b| b.is_ascii_graphic());
    if is_fit {
        Ok(text.to_owned())
    } else {
        Err(Fault::protocol(
            "the far system gave an upload or part a mark that is none",
        ))
    }
}

/// An entity tag of the far side's.
pub(super) fn tag(answer: &Response) -> Result<String> {
    fit(header(answer, "etag"), limits::TAG_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn fault(code: &str) -> Fault {
        let refusal = Refusal {
            code: code.to_owned(),
            message: "words".to_owned(),
            elsewhere: "eu-west-1".to_owned(),
        };
        said(&refusal, "writing `a`", &FaultKind::Exists).unwrap()
    }

    #[test]
    fn codes_become_faults() {
        for (code, kind) in [
            ("NoSuchKey", FaultKind::NotFound),
            ("NoSuchUpload", FaultKind::NotFound),
            ("NoSuchBucket", FaultKind::NotFound),
            ("AccessDenied", FaultKind::PermissionDenied),
            ("SignatureDoesNotMatch", FaultKind::AuthFailed),
            ("InvalidAccessKeyId", FaultKind::AuthFailed),
            ("RequestTimeTooSkewed", FaultKind::AuthFailed),
            ("SlowDown", FaultKind::Busy),
            ("EntityTooLarge", FaultKind::OutOfSpace),
            ("PreconditionFailed", FaultKind::Exists),
            ("PermanentRedirect", FaultKind::Invalid),
        ] {
            assert_eq!(fault(code).kind(), &kind, "{code}");
        }
        assert!(fault("RequestTimeTooSkewed").message().contains("clock"));
        assert!(fault("PermanentRedirect").message().contains("eu-west-1"));
    }

    #[test]
    fn marks_of_the_far_side_are_judged() {
        assert!(fit("\"abc-1\"", 9).is_ok());
        for bad in ["", "a b", "a\r\nb", "0123456789", "ä"] {
            assert!(fit(bad, 9).is_err(), "{bad}");
        }
    }
}
