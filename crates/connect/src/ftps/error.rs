//! From FTP's replies and the line's errors to faults.

use std::io;

use super::reply::Reply;
use crate::fault::{Fault, FaultKind, far_words};
use crate::path::RemotePath;
use crate::tls;

/// What a refusing reply to `what` means. The codes are few and the words are the server's own, so both are looked at.
pub(super) fn refusal(reply: &Reply, what: &str) -> Fault {
    let text = reply.text();
    let kind = match reply.code {
        421 | 425 | 426 => FaultKind::ConnectionLost,
        430 | 530 => FaultKind::AuthFailed,
        452 | 552 => FaultKind::OutOfSpace,
        450 | 451 => by_words(&text).unwrap_or(FaultKind::Busy),
        501 => by_words(&text).unwrap_or(FaultKind::Unsupported),
        500..=504 | 522 | 533..=536 => FaultKind::Unsupported,
        532 => FaultKind::PermissionDenied,
        550 | 551 | 553 => by_words(&text).unwrap_or(FaultKind::Io),
        400..=499 => FaultKind::Busy,
        500..=599 => FaultKind::Io,
        _ => FaultKind::Protocol,
    };
    let said = far_words(&text);
    Fault::new(
        kind,
        format!("the FTP server refused {what}: {} {said}", reply.code),
    )
}

fn by_words(text: &str) -> Option<FaultKind> {
    const WORDS: [(FaultKind, &[&str]); 4] = [
        (
            FaultKind::NotFound,
            &[
                "no such",
                "not found",
                "not exist",
                "n't exist",
                "cannot find",
                "can't find",
            ],
        ),
        (
            FaultKind::PermissionDenied,
            &[
                "permission",
                "denied",
                "not permitted",
                "not allowed",
                "enough privileges",
                "read-only",
            ],
        ),
        (FaultKind::OutOfSpace, &["quota", "no space", "disk full"]),
        (FaultKind::Exists, &["exists"]),
    ];
    let text = text.to_lowercase();
    WORDS
        .into_iter()
        .find(|(_, words)| words.iter().any(|word| text.contains(word)))
        .map(|(kind, _)| kind)
}

/// What an error of a connection means; `what` names the connection.
pub(super) fn line(error: io::Error, what: &str) -> Fault {
    tls::fault(&error)
        .unwrap_or_else(|| Fault::new(FaultKind::ConnectionLost, format!("{what} ended")))
        .because(error)
}

/// The control connection ended where a reply was due.
pub(super) fn ended() -> Fault {
    Fault::new(
        FaultKind::ConnectionLost,
        "the FTP server ended the connection",
    )
}

pub(super) fn exists(path: &RemotePath) -> Fault {
    Fault::new(FaultKind::Exists, format!("`{path}` is there already"))
}

pub(super) fn not_found(path: &RemotePath) -> Fault {
    Fault::new(FaultKind::NotFound, format!("`{path}` is not there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_words_tell_the_kind() {
        for (code, text, kind) in [
            (550, "No such file or directory.", FaultKind::NotFound),
            (
                550,
                "/x: The system cannot find the file specified",
                FaultKind::NotFound,
            ),
            (550, "Permission denied.", FaultKind::PermissionDenied),
            (550, "Not enough privileges.", FaultKind::PermissionDenied),
            (550, "File exists.", FaultKind::Exists),
            (550, "x does not exist", FaultKind::NotFound),
            (550, "Disk quota exceeded", FaultKind::OutOfSpace),
            (550, "Failed to open file.", FaultKind::Io),
            (552, "", FaultKind::OutOfSpace),
            (421, "Timeout.", FaultKind::ConnectionLost),
            (426, "aborted", FaultKind::ConnectionLost),
            (450, "busy", FaultKind::Busy),
            (451, "local error", FaultKind::Busy),
            (501, "No such directory.", FaultKind::NotFound),
            (502, "what?", FaultKind::Unsupported),
            (522, "session reuse required", FaultKind::Unsupported),
            (530, "Login incorrect.", FaultKind::AuthFailed),
            (226, "done", FaultKind::Protocol),
            (350, "more", FaultKind::Protocol),
        ] {
            let lines = vec![text.to_owned()];
            let fault = refusal(&Reply { code, lines }, "it");
            assert_eq!(fault.kind(), &kind, "{code} {text}");
        }
    }
}
