//! From the errors of the floors below to the closed list of kinds.

use bailee_model::{Error, ErrorKind};
use bailee_store::{DbError, conflict};
use bailee_vault::{KeyError, OpenError, SealError};

use crate::idempotency;

/// A database error that no use case expects. Conflicts that one expects are matched before this is called.
pub(crate) fn from_db(error: DbError) -> Error {
    let kind = match &error {
        DbError::Unavailable(_) => ErrorKind::Unavailable,
        DbError::Full => ErrorKind::StorageFull,
        DbError::Conflict(conflict::KEY_USED) => return idempotency::in_progress(),
        DbError::Conflict(_) => ErrorKind::StateConflict,
        _ => return Error::internal(error),
    };
    let detail = match kind {
        ErrorKind::Unavailable => "The database does not answer at the moment.",
        ErrorKind::StorageFull => "The server has no room left.",
        _ => "Something else changed this at the same moment.",
    };
    let answer = Error::new(kind, detail).caused_by(error);
    if kind == ErrorKind::Unavailable {
        answer.retry_after(2)
    } else {
        answer
    }
}

/// What was read was changed by others again and again before it could be written.
pub(crate) fn too_fast(what: &str) -> Error {
    let detail = format!("The {what} changes too fast; try again.");
    Error::new(ErrorKind::StateConflict, detail).retry_after(1)
}

/// Nothing is added: `owner` has as many as it may, `most`.
pub(crate) fn enough(owner: &str, most: u64, what: &str) -> Error {
    let detail = format!("{owner} has at most {most} {what}.");
    Error::new(ErrorKind::QuotaExceeded, detail)
}

/// A key that does not unwrap: the rows and the root key do not belong together.
pub(crate) fn from_key(error: KeyError) -> Error {
    Error::internal(error)
}

/// A stream that could not be sealed.
pub(crate) fn from_seal(error: SealError<Error>) -> Error {
    match error {
        SealError::Stream(error) => error,
        SealError::TooLarge { limit_bytes } => Error::new(
            ErrorKind::FileTooLarge,
            format!("The content is larger than {limit_bytes} bytes."),
        ),
        SealError::NoSpace(source) => {
            Error::new(ErrorKind::StorageFull, "The server has no room left.").caused_by(source)
        }
        // What is durable is no longer known: going on could acknowledge what is lost.
        SealError::SyncFailed(source) => {
            tracing::error!(error = %source, "a sync failed; the process ends");
            std::process::abort()
        }
        other => Error::internal(other),
    }
}

/// A stored blob that could not be read.
pub(crate) fn from_open(error: OpenError) -> Error {
    Error::internal(error)
}
