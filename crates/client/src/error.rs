use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bailee_api::Problem;

/// What calls answer with when they fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How far a request came before its connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No connection: name, address, port, TLS. The server saw nothing.
    Connecting,
    /// While the request was on its way.
    Sending,
    /// After the request, before the answer.
    Waiting,
    /// Within the answer.
    Reading,
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Connecting => "connecting",
            Self::Sending => "sending the request",
            Self::Waiting => "waiting for the answer",
            Self::Reading => "reading the answer",
        })
    }
}

/// The few kinds of failure that programs tell apart; [`Error::code`] is finer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// 401.
    Authentication,
    /// 403.
    Authorization,
    /// 404, 410.
    NotFound,
    /// 409, 412, 428.
    Conflict,
    /// 400, 415, 422.
    Validation,
    /// 413, 507.
    QuotaExceeded,
    /// Bytes are not what they should be.
    Integrity,
    /// 429, after retries.
    RateLimit,
    /// A transfer that ended `failed`.
    Transfer,
    /// No usable answer.
    Connection,
    /// The caller's own deadline.
    DeadlineExceeded,
    /// The caller's own cancellation.
    Cancelled,
    /// Wrong use of this library, found before anything was sent.
    Usage,
    /// A file of this machine.
    Local,
    /// Any other answer of the server.
    Api,
}

/// Every way in which this library fails. No variant shows a credential.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server answered with a problem.
    #[error("{}", problem_text(.problem))]
    Api {
        /// The problem document. One made here when the answer carried none.
        problem: Box<Problem>,
        /// HTTP status.
        status: u16,
    },
    /// No usable answer came.
    #[error("no usable answer from {host} while {phase}: {reason}")]
    Connection {
        /// Where it broke.
        phase: Phase,
        /// Whether the server may have done what it was asked.
        outcome_unknown: bool,
        /// Host and port.
        host: String,
        /// The innermost cause, in words.
        reason: String,
    },
    /// Bytes here and there differ.
    #[error("{what} has the digest {actual}, expected {expected}")]
    Integrity {
        /// Which bytes.
        what: String,
        /// Hex SHA-256 or size that was promised.
        expected: String,
        /// Hex SHA-256 or size that was found.
        actual: String,
    },
    /// The source file changed while it was sent.
    #[error("{} changed while it was read", .path.display())]
    SourceChanged {
        /// The file.
        path: PathBuf,
    },
    /// A transfer ended `failed`.
    #[error("transfer {transfer_id} failed: {message}")]
    Transfer {
        /// Which one.
        transfer_id: String,
        /// `partial`, `cancelled`, `rejected`, `expired`, `error`.
        outcome: String,
        /// A stable word.
        error_code: Option<String>,
        /// What happened.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// The caller's deadline passed.
    #[error("not done within {} seconds", .0.as_secs_f64())]
    Deadline(Duration),
    /// The caller's progress function stopped it.
    #[error("cancelled")]
    Cancelled,
    /// Wrong use, found before anything was sent.
    #[error("{detail}")]
    Usage {
        /// What is wrong.
        detail: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// A file of this machine.
    #[error("cannot {action} {}: {source}", .path.display())]
    Local {
        /// `open`, `read`, `write`, …
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
}

fn problem_text(problem: &Problem) -> String {
    if problem.detail.is_empty() {
        problem.title.clone()
    } else {
        problem.detail.clone()
    }
}

impl Error {
    pub(crate) fn usage(detail: impl Into<String>) -> Self {
        Self::Usage {
            detail: detail.into(),
            hint: None,
        }
    }

    pub(crate) fn usage_hint(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            detail: detail.into(),
            hint: Some(hint.into()),
        }
    }

    pub(crate) fn local(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Local {
            action,
            path,
            source,
        }
    }

    /// The stable word for this failure: the problem's code, the transfer's, or one of this library.
    pub fn code(&self) -> &str {
        match self {
            Self::Api { problem, .. } => &problem.code,
            Self::Connection { .. } => "connection_failed",
            Self::Integrity { .. } => "digest_mismatch",
            Self::SourceChanged { .. } => "source_changed",
            Self::Transfer { error_code, .. } => error_code.as_deref().unwrap_or("transfer_failed"),
            Self::Deadline(_) => "deadline_exceeded",
            Self::Cancelled => "cancelled",
            Self::Usage { .. } => "usage",
            Self::Local { .. } => "local_file",
        }
    }

    /// What to do next, when somebody knows.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Api { problem, .. } => {
                Some(problem.hint.as_str()).filter(|hint| !hint.is_empty())
            }
            Self::Transfer { hint, .. } | Self::Usage { hint, .. } => hint.as_deref(),
            Self::Connection {
                phase: Phase::Connecting,
                ..
            } => Some("Check the address, and that the CA file belongs to this server."),
            Self::Connection {
                outcome_unknown: true,
                ..
            } => Some("The server may have done it: look before you repeat it."),
            _ => None,
        }
    }

    /// HTTP status of the answer, when there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Which kind of failure this is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Api { problem, status } => class_of(*status, &problem.code),
            Self::Connection { .. } => ErrorClass::Connection,
            Self::Integrity { .. } | Self::SourceChanged { .. } => ErrorClass::Integrity,
            Self::Transfer { .. } => ErrorClass::Transfer,
            Self::Deadline(_) => ErrorClass::DeadlineExceeded,
            Self::Cancelled => ErrorClass::Cancelled,
            Self::Usage { .. } => ErrorClass::Usage,
            Self::Local { .. } => ErrorClass::Local,
        }
    }
}

/// The class of an answered problem.
fn class_of(status: u16, code: &str) -> ErrorClass {
    match (status, code) {
        (_, "digest_mismatch" | "size_mismatch") => ErrorClass::Integrity,
        (401, _) => ErrorClass::Authentication,
        (403, _) => ErrorClass::Authorization,
        (404 | 410, _) => ErrorClass::NotFound,
        (409 | 412 | 428, _) => ErrorClass::Conflict,
        (400 | 415 | 422, _) => ErrorClass::Validation,
        (413 | 507, _) => ErrorClass::QuotaExceeded,
        (429, _) => ErrorClass::RateLimit,
        _ => ErrorClass::Api,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_their_class() {
        for (status, code, class) in [
            (401, "credential_invalid", ErrorClass::Authentication),
            (403, "policy_denied", ErrorClass::Authorization),
            (410, "upload_expired", ErrorClass::NotFound),
            (428, "precondition_required", ErrorClass::Conflict),
            (422, "validation_failed", ErrorClass::Validation),
            (422, "digest_mismatch", ErrorClass::Integrity),
            (422, "size_mismatch", ErrorClass::Integrity),
            (507, "storage_full", ErrorClass::QuotaExceeded),
            (429, "rate_limited", ErrorClass::RateLimit),
            (503, "draining", ErrorClass::Api),
        ] {
            assert_eq!(class_of(status, code), class, "{status} {code}");
        }
    }
}
