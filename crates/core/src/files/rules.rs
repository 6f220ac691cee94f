//! What a new version must satisfy.

use bailee_model::{Error, ErrorKind, File, Result, limit};
use bailee_store::{DbError, conflict};

use super::Precondition;
use crate::keyring::Known;
use crate::{checks, error};

use super::place::NewFile;

/// Whether the place may be taken.
pub(super) fn admit_place(
    old: Option<&File>,
    new: &NewFile,
    precondition: &Precondition,
    known: &Known,
) -> Result<()> {
    let is_free = matches!(precondition, Precondition::None | Precondition::Unasked);
    // Who did not ask to replace is told that there is something, not that a condition is missing.
    if new.overwrite || !is_free {
        precondition.admit(old.map(|old| old.hash.as_str()), &known.tenant)?;
    }
    match old {
        Some(old) if !new.overwrite => {
            let detail = format!(
                "There is a file at {}; send overwrite=true to replace it.",
                old.path
            );
            Err(Error::new(ErrorKind::FileExists, detail).with("file_id", old.id.to_string()))
        }
        _ => Ok(()),
    }
}

/// Whether the content is what was declared.
pub(crate) fn check_declared(new: &NewFile, size_bytes: u64, hash: &str) -> Result<()> {
    if new
        .size_bytes
        .is_some_and(|declared| declared != size_bytes)
    {
        return Err(Error::new(
            ErrorKind::SizeMismatch,
            "The content has another size than declared.",
        ));
    }
    if let Some(declared) = &new.hash
        && checks::sha256_hex("#/hash", declared)? != hash
    {
        return Err(digest_mismatch(hash));
    }
    Ok(())
}

pub(crate) fn digest_mismatch(hash: &str) -> Error {
    Error::new(
        ErrorKind::DigestMismatch,
        "The content has another SHA-256 than declared; nothing was stored.",
    )
    .with("hash", hash)
}

pub(super) fn declared_type(new: &NewFile) -> Result<String> {
    match &new.content_type {
        Some(declared) => checks::content_type(declared).map(|()| declared.clone()),
        None => Ok(mime_guess::from_path(new.path.name().as_str())
            .first_or_octet_stream()
            .to_string()),
    }
}

/// Whether the first bytes cannot be what was declared. Text is text whatever its kind, and a container format
/// (zip) is not held against what is built on it.
pub(super) fn contradicts(declared: &str, detected: &str) -> bool {
    let kind = |text: &str| {
        text.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    };
    let (declared, detected) = (kind(declared), kind(detected));
    let is_generic = |kind: &str| {
        matches!(
            kind,
            "application/octet-stream" | "application/zip" | "text/plain"
        )
    };
    declared != detected && !is_generic(&detected) && !is_generic(&declared)
}

pub(crate) fn too_large(limit_bytes: u64) -> Error {
    Error::new(
        ErrorKind::FileTooLarge,
        format!("A file may have at most {limit_bytes} bytes."),
    )
}

pub(crate) fn over_quota() -> Error {
    Error::new(
        ErrorKind::QuotaExceeded,
        "The tenant's quota does not allow this.",
    )
}

pub(super) fn placing_failed(error: DbError) -> Error {
    match error {
        DbError::Conflict(conflict::QUOTA) => over_quota(),
        DbError::Conflict(conflict::SOURCE) => Error::not_found("file"),
        DbError::Conflict(conflict::UPLOAD_MOVED) => Error::new(
            ErrorKind::StateConflict,
            "The upload has changed in the meantime.",
        ),
        DbError::Conflict("reservation") => {
            let hours = limit::RESERVATION_LIFE.as_secs() / 3600;
            Error::new(
                ErrorKind::RequestTimeout,
                format!("The upload took longer than {hours} hours."),
            )
        }
        other => error::from_db(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_real_contradiction_counts() {
        assert!(contradicts("image/png", "application/pdf"));
        assert!(!contradicts("text/csv", "text/plain"));
        assert!(!contradicts(
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/zip"
        ));
        assert!(!contradicts("application/octet-stream", "application/pdf"));
        assert!(!contradicts("text/html; charset=utf-8", "text/html"));
    }
}
