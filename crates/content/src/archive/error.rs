//! What can be wrong with an archive and with one entry of it.

use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArchiveError {
    #[error("this is no archive of the kind expected: {0}")]
    NotAnArchive(String),
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    #[error("the archive holds more than {limit} entries")]
    TooManyEntries { limit: u64 },
    #[error("the entry \"{name}\" is refused: {fault}")]
    Entry { name: String, fault: EntryFault },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryFault {
    #[error("it has no name")]
    NameEmpty,
    #[error("its name is too long or too deep")]
    NameTooLong,
    #[error("its name is not UTF-8")]
    NameEncoding,
    #[error("its name holds control characters")]
    NameControl,
    #[error("its name is absolute")]
    Absolute,
    #[error("its name begins with a drive")]
    Drive,
    #[error("its name holds a backslash")]
    Backslash,
    #[error("its name climbs out of its folder or has empty parts")]
    Traversal,
    #[error("it is a link")]
    Link,
    #[error("it is neither file nor folder")]
    Special,
    #[error("the name occurs twice")]
    Duplicate,
    #[error("it is a file where another entry needs a folder")]
    Conflict,
    #[error("it shares bytes with another entry")]
    Overlap,
    #[error("it is encrypted")]
    Encrypted,
    #[error("it is packed by a method we do not take")]
    Method,
    #[error("two places of the archive describe it differently")]
    Contradiction,
    #[error("its size is not what the archive says")]
    Size,
    #[error("its checksum does not match")]
    Checksum,
}

impl ArchiveError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnArchive(_) => "archive_unknown",
            Self::Damaged(_) => "archive_damaged",
            Self::TooManyEntries { .. } => "archive_too_many_entries",
            Self::Entry { fault, .. } => fault.code(),
        }
    }

    pub(super) fn entry(name: &str, fault: EntryFault) -> Self {
        // A hostile name goes into messages and logs: shortened, and without control characters.
        let shown = name.chars().take(200);
        let name = shown.map(|c| if c.is_control() { '\u{FFFD}' } else { c });
        Self::Entry {
            name: name.collect(),
            fault,
        }
    }
}

impl EntryFault {
    fn code(self) -> &'static str {
        match self {
            Self::NameEmpty | Self::NameTooLong | Self::NameEncoding | Self::NameControl => {
                "archive_entry_name"
            }
            Self::Absolute | Self::Drive | Self::Backslash | Self::Traversal => {
                "archive_entry_path"
            }
            Self::Link => "archive_entry_link",
            Self::Special => "archive_entry_special",
            Self::Duplicate | Self::Conflict => "archive_entry_duplicate",
            Self::Overlap => "archive_entry_overlap",
            Self::Encrypted => "archive_entry_encrypted",
            Self::Method => "archive_entry_method",
            Self::Contradiction | Self::Size | Self::Checksum => "archive_entry_damaged",
        }
    }
}
