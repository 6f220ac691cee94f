//! Which names of entries are taken.

use std::collections::HashSet;

use super::{ArchiveError, EntryFault};

/// Folders within folders.
const DEPTH_MAX: usize = 64;

/// The names of one archive so far.
#[derive(Debug, Default)]
pub(super) struct Names {
    files: HashSet<String>,
    folders: HashSet<String>,
    listed_folders: HashSet<String>,
}

impl Names {
    /// The name without a folder's closing slash, if it may stand.
    pub(super) fn admit(
        &mut self,
        raw: &str,
        is_folder: bool,
        bytes_max: usize,
    ) -> Result<String, ArchiveError> {
        let refuse = |fault| ArchiveError::entry(raw, fault);
        let name = if is_folder {
            raw.strip_suffix('/').unwrap_or(raw)
        } else {
            raw
        };
        if let Some(fault) = fault(name, bytes_max) {
            return Err(refuse(fault));
        }
        let mut end = 0;
        while let Some(slash) = name.get(end..).and_then(|rest| rest.find('/')) {
            end += slash;
            let folder = name.get(..end).unwrap_or_default();
            if self.files.contains(folder) {
                return Err(refuse(EntryFault::Conflict));
            }
            self.folders.insert(folder.to_owned());
            end += 1;
        }
        if is_folder {
            if self.files.contains(name) {
                return Err(refuse(EntryFault::Conflict));
            }
            self.folders.insert(name.to_owned());
            if !self.listed_folders.insert(name.to_owned()) {
                return Err(refuse(EntryFault::Duplicate));
            }
        } else {
            if self.folders.contains(name) {
                return Err(refuse(EntryFault::Conflict));
            }
            if !self.files.insert(name.to_owned()) {
                return Err(refuse(EntryFault::Duplicate));
            }
        }
        Ok(name.to_owned())
    }
}

fn fault(name: &str, bytes_max: usize) -> Option<EntryFault> {
    let bytes = name.as_bytes();
    if name.is_empty() {
        return Some(EntryFault::NameEmpty);
    }
    if bytes.len() > bytes_max || name.split('/').count() > DEPTH_MAX {
        return Some(EntryFault::NameTooLong);
    }
    if name.chars().any(char::is_control) {
        return Some(EntryFault::NameControl);
    }
    if name.contains('\\') {
        return Some(EntryFault::Backslash);
    }
    if name.starts_with('/') {
        return Some(EntryFault::Absolute);
    }
    if bytes.get(1) == Some(&b':') && bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return Some(EntryFault::Drive);
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Some(EntryFault::Traversal);
    }
    None
}
