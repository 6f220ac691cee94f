//! What goes wrong, as the step's fault: a code that has a page, and words that name the file.

use std::fmt::Display;

use bailee_content::Error as ContentError;
use bailee_core::model::{Error, ErrorKind, StepFault};
use bailee_core::{PgpRefusal, PgpUseError};

/// A fault of the content of `name`.
pub(super) fn of_content(name: impl Display, error: &ContentError) -> StepFault {
    if let ContentError::Read(source) | ContentError::Write(source) = error
        && let Some(inner) = source.get_ref()
        && let Some(inner) = inner.downcast_ref::<Error>()
    {
        return of_core(inner);
    }
    StepFault {
        code: error.code().to_owned(),
        detail: format!("{name}: {error}."),
        retryable: error.is_transient(),
    }
}

/// A refusal of Bailee itself: a place, a right, a quota, a database that does not answer.
pub(super) fn of_core(error: &Error) -> StepFault {
    let retryable = matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::Overloaded
            | ErrorKind::Draining
            | ErrorKind::StorageFull
            | ErrorKind::StateConflict
            | ErrorKind::InternalError
    );
    StepFault {
        code: error.kind().code().to_owned(),
        detail: error.detail().to_owned(),
        retryable,
    }
}

/// A key that cannot be used.
pub(super) fn of_key(error: PgpUseError) -> StepFault {
    match error {
        PgpUseError::Refused(PgpRefusal { code, detail }) => StepFault::permanent(code, detail),
        PgpUseError::Failed(error) => of_core(&error),
    }
}

/// Two files of one name would have to be put out.
pub(super) fn name_taken(name: impl Display) -> StepFault {
    let detail = format!("Two files named {name} would be put out.");
    StepFault::permanent("output_name_taken", detail)
}

/// A name that cannot be one in Bailee.
pub(super) fn bad_name(name: impl Display) -> StepFault {
    let detail = format!("A file cannot be named {name}.");
    StepFault::permanent("invalid_path", detail)
}
