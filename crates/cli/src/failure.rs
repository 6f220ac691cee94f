//! What a command ends with: the exit codes, which are a public contract, and the three lines on stderr.

use std::fmt::Write as _;
use std::path::PathBuf;

use bailee_client::Error;

/// Exit codes. Scripts rely on them.
pub mod exit {
    /// Any other failure.
    pub const OTHER: u8 = 1;
    /// Wrong use, or a question that nobody could answer.
    pub const USAGE: u8 = 2;
    /// `diff` found differences.
    pub const DIFFERS: u8 = 2;
    /// Not found.
    pub const NOT_FOUND: u8 = 3;
    /// Sign-in or permission.
    pub const DENIED: u8 = 4;
    /// Temporary: try again.
    pub const TEMPORARY: u8 = 5;
    /// A transfer failed.
    pub const TRANSFER_FAILED: u8 = 6;
    /// Conflict or precondition.
    pub const CONFLICT: u8 = 7;
    /// Still running when the time was over.
    pub const STILL_RUNNING: u8 = 8;
    /// Bytes are not what they should be.
    pub const MISMATCH: u8 = 9;
    /// Interrupted.
    pub const INTERRUPTED: u8 = 130;
}

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The SDK's word.
    #[error(transparent)]
    Client(#[from] Error),
    /// Wrong use.
    #[error("{detail}")]
    Usage {
        /// What is wrong.
        detail: String,
        /// What to do next.
        hint: String,
    },
    /// Nobody could say yes.
    #[error("{0}: not confirmed")]
    NotConfirmed(String),
    /// Something that should be there is not.
    #[error("{0}")]
    NotFound(String),
    /// Bytes differ.
    #[error("{0}")]
    Mismatch(String),
    /// Site files that cannot be taken: place and fault, each in a line.
    #[error("{}", .0.join("; "))]
    Site(Vec<String>),
    /// The server is not as site files say.
    #[error("the server differs from the files: {0}")]
    Differs(String),
    /// A file of this machine.
    #[error("cannot {action} {}: {source}", .path.display())]
    Local {
        /// `read`, `write`, …
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted {
        /// How to go on.
        hint: Option<String>,
    },
    /// Some of several things failed; each was told already.
    #[error("{failed} of {total} failed")]
    Several {
        /// How many.
        failed: usize,
        /// Of how many.
        total: usize,
        /// The first one's exit code.
        code: u8,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    pub(crate) fn usage(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            detail: detail.into(),
            hint: hint.into(),
        }
    }

    pub(crate) fn local(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Local {
            action,
            path,
            source,
        }
    }

    /// The exit code for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => client_code(error),
            Self::Usage { .. } | Self::NotConfirmed(_) => exit::USAGE,
            Self::Differs(_) => exit::DIFFERS,
            Self::NotFound(_) => exit::NOT_FOUND,
            Self::Mismatch(_) => exit::MISMATCH,
            Self::Local { source, .. } => local_code(source),
            Self::Interrupted { .. } => exit::INTERRUPTED,
            Self::Several { code, .. } => *code,
            Self::Site(_) | Self::Other(_) => exit::OTHER,
        }
    }

    /// Up to three lines for stderr: what, what next, which request.
    pub fn lines(&self) -> String {
        let mut text = match self {
            Self::Site(faults) => {
                let lines = faults
                    .iter()
                    .map(|fault| format!("error: {}", visible(fault)));
                lines.collect::<Vec<_>>().join("\n")
            }
            Self::Differs(_) => visible(&self.to_string()),
            other => format!("error: {}", visible(&other.to_string())),
        };
        if let Self::Client(error) = self {
            let _ = write!(text, " ({})", error.code());
        }
        if let Some(hint) = self.hint() {
            let _ = write!(text, "\nhint: {}", visible(&hint));
        }
        if let Self::Client(Error::Api { problem, .. }) = self {
            let _ = write!(
                text,
                "\nrequest: {} docs: {}",
                problem.request_id,
                visible(&problem.type_url)
            );
        }
        text
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Client(error) if error.code() == "file_exists" => {
                Some("Add --overwrite to replace it.".to_owned())
            }
            Self::Client(Error::Local { source, .. })
                if source.kind() == std::io::ErrorKind::AlreadyExists =>
            {
                Some("Add --overwrite to replace it.".to_owned())
            }
            Self::Client(error) => error.hint().map(str::to_owned),
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::NotConfirmed(_) => Some("Add --yes where nobody can answer.".to_owned()),
            Self::Interrupted { hint } => hint.clone(),
            _ => None,
        }
    }
}

fn client_code(error: &Error) -> u8 {
    match error {
        Error::Api { problem, status } => answered_code(*status, &problem.code),
        Error::Connection { .. } => exit::TEMPORARY,
        Error::Integrity { .. } => exit::MISMATCH,
        Error::Transfer { .. } => exit::TRANSFER_FAILED,
        Error::Deadline(_) => exit::STILL_RUNNING,
        Error::Cancelled => exit::INTERRUPTED,
        Error::Usage { .. } => exit::USAGE,
        Error::SourceChanged { .. } => exit::CONFLICT,
        Error::Local { source, .. } => local_code(source),
    }
}

fn answered_code(status: u16, code: &str) -> u8 {
    match (status, code) {
        (_, "digest_mismatch" | "size_mismatch") => exit::MISMATCH,
        (400 | 422, _) => exit::USAGE,
        (404 | 410, _) => exit::NOT_FOUND,
        (401 | 403, _) => exit::DENIED,
        (408 | 425 | 429 | 502 | 503 | 504, _) => exit::TEMPORARY,
        (409 | 412 | 428, _) => exit::CONFLICT,
        _ => exit::OTHER,
    }
}

fn local_code(error: &std::io::Error) -> u8 {
    match error.kind() {
        std::io::ErrorKind::NotFound => exit::NOT_FOUND,
        std::io::ErrorKind::AlreadyExists => exit::CONFLICT,
        _ => exit::OTHER,
    }
}

/// Text from elsewhere without the characters that steer a terminal.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            // Marks that turn the direction of text can disguise a name.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_keep_the_contract() {
        for (status, code, wanted) in [
            (400, "malformed_request", 2),
            (422, "validation_failed", 2),
            (422, "digest_mismatch", 9),
            (422, "size_mismatch", 9),
            (404, "not_found", 3),
            (410, "upload_expired", 3),
            (401, "credential_invalid", 4),
            (403, "policy_denied", 4),
            (408, "request_timeout", 5),
            (429, "rate_limited", 5),
            (502, "remote_failed", 5),
            (503, "draining", 5),
            (504, "remote_timeout", 5),
            (409, "file_exists", 7),
            (412, "etag_mismatch", 7),
            (428, "precondition_required", 7),
            (413, "file_too_large", 1),
            (500, "internal_error", 1),
            (507, "storage_full", 1),
        ] {
            assert_eq!(answered_code(status, code), wanted, "{status} {code}");
        }
        let transfer = Error::Transfer {
            transfer_id: "xfr_1".to_owned(),
            outcome: "error".to_owned(),
            error_code: None,
            message: "no".to_owned(),
            hint: None,
        };
        assert_eq!(Failure::from(transfer).exit_code(), 6);
        assert_eq!(
            Failure::from(Error::Deadline(std::time::Duration::from_secs(1))).exit_code(),
            8
        );
        assert_eq!(Failure::from(Error::Cancelled).exit_code(), 130);
        assert_eq!(Failure::NotConfirmed("rm".to_owned()).exit_code(), 2);
    }

    #[test]
    fn an_answered_problem_takes_three_lines() {
        let problem = serde_json::from_value(serde_json::json!({
            "type": "https://h/docs/problems/not_found/", "title": "Not found", "status": 404, "code": "not_found",
            "detail": "No file at /inbox/\u{1b}[31mreport.csv.", "instance": "/v1/files/lookup",
            "request_id": "req_01m7yp4sg1e35rw9hmckwyqppc", "retryable": false, "retry_after": null,
            "hint": "Look with `bailee ls :/inbox`.", "decision_id": null, "errors": []
        }))
        .unwrap();
        let failure = Failure::from(Error::Api {
            problem: Box::new(problem),
            status: 404,
        });
        assert_eq!(
            failure.lines(),
            "error: No file at /inbox/\u{fffd}[31mreport.csv. (not_found)\nhint: Look with `bailee ls :/inbox`.\n\
             request: req_01m7yp4sg1e35rw9hmckwyqppc docs: https://h/docs/problems/not_found/"
        );
    }
}
