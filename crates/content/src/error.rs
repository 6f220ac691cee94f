//! One error for the crate: which part of the work refused, and its own words.

use std::io;

use thiserror::Error;

use crate::archive::ArchiveError;
use crate::checksum::ChecksumError;
use crate::pgp::PgpError;
use crate::validate::RuleError;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Error)]
pub enum Error {
    #[error("the input could not be read: {0}")]
    Read(#[source] io::Error),
    #[error("the output could not be written: {0}")]
    Write(#[source] io::Error),
    #[error("the result is larger than the limit of {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the content grows to more than {limit} times its size when it is unpacked")]
    TooDense { limit: u64 },
    #[error("the work was given up")]
    Abandoned,
    #[error("the content could not be handled; it may have been made to do harm")]
    Broken,
    #[error(transparent)]
    Pgp(#[from] PgpError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
}

impl Error {
    /// The fault as programs see it. Codes stay; messages may change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "content_unreadable",
            Self::Write(_) => "content_unwritable",
            Self::TooLarge { .. } => "content_too_large",
            Self::TooDense { .. } => "content_too_dense",
            Self::Abandoned => "content_abandoned",
            Self::Broken => "content_broken",
            Self::Pgp(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::Rule(error) => error.code(),
            Self::Checksum(error) => error.code(),
        }
    }

    /// Whether the same step may succeed later, content and order unchanged.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Write(_) | Self::Abandoned)
    }
}
