//! Paths of files and folders, parsed once, at the door.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::limit;
use crate::text::as_text;

/// Why a text is not a path or a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A `.`, `..` or empty segment.
    #[error("a path may not hold empty, `.` or `..` segments")]
    Segment,
    /// NUL, another control character, or a backslash.
    #[error("a path may not hold control characters or backslashes")]
    Character,
    /// A name over [`limit::NAME_BYTES_MAX`], or a path that is too long or too deep.
    #[error("the path is too long or too deep")]
    TooLong,
    /// A file was meant, and the path names the root or ends in `/`.
    #[error("the path names no file")]
    NoName,
    /// The tenant's rule for names refuses this one.
    #[error("the name is outside the tenant's naming rule")]
    Rule,
}

/// A tenant's rule for the names of new files and folders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameRule {
    /// Any Unicode, compared in NFC.
    #[default]
    Unicode,
    /// Letters, digits, `_`, `-` and `.` of ASCII only: what the integration guide's client allows.
    Portable,
}

impl NameRule {
    /// Refuses a name outside this rule.
    pub fn admit(self, name: &FileName) -> Result<(), PathError> {
        let portable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        match self {
            Self::Unicode => Ok(()),
            Self::Portable if name.as_str().chars().all(portable) => Ok(()),
            Self::Portable => Err(PathError::Rule),
        }
    }
}

/// The name of a file or of a folder in its parent: one segment, in NFC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with a number before its extension: `report (2).csv`.
    pub fn numbered(&self, number: u32) -> Result<Self, PathError> {
        match self.0.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => {
                format!("{stem} ({number}).{extension}").parse()
            }
            _ => format!("{} ({number})", self.0).parse(),
        }
    }
}

impl FromStr for FileName {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(PathError::Character);
        }
        let name = if is_nfc(text) {
            text.to_owned()
        } else {
            text.nfc().collect()
        };
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            return Err(PathError::Segment);
        }
        if name.len() > limit::NAME_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        Ok(Self(name))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A folder: `/` or `/a/b`, without a trailing slash.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderPath(Vec<FileName>);

impl FolderPath {
    /// The root of a tenant.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names from the root down.
    pub fn names(&self) -> &[FileName] {
        &self.0
    }

    /// The folder that holds this one; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, above)| Self(above.to_vec()))
    }

    /// The last name; `None` for the root.
    pub fn name(&self) -> Option<&FileName> {
        self.0.last()
    }

    /// The folder `name` in this one.
    pub fn child(&self, name: FileName) -> Result<Self, PathError> {
        let mut names = self.0.clone();
        names.push(name);
        Self(names).bounded()
    }

    /// The file `name` in this folder.
    pub fn file(&self, name: FileName) -> FilePath {
        FilePath {
            folder: self.clone(),
            name,
        }
    }

    /// Whether this is `other` or lies below it. Whole segments only: `/ab` is not below `/a`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The folder of names that are stored already, whatever its depth and length.
    pub const fn stored(names: Vec<FileName>) -> Self {
        Self(names)
    }

    /// Whether something that reaches `levels` and `bytes` below this folder stays within the limits.
    pub fn has_room_below(&self, levels: u64, bytes: u64) -> bool {
        let own: usize = self.0.iter().map(|name| name.as_str().len() + 1).sum();
        self.0.len() as u64 + levels <= limit::PATH_DEPTH_MAX as u64
            && own as u64 + bytes <= limit::PATH_BYTES_MAX as u64
    }

    fn bounded(self) -> Result<Self, PathError> {
        let bytes: usize = self.0.iter().map(|name| name.as_str().len() + 1).sum();
        if self.0.len() > limit::PATH_DEPTH_MAX || bytes > limit::PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        Ok(self)
    }
}

impl FromStr for FolderPath {
    type Err = PathError;

    /// Reads `a/b`, `/a/b` and `/a/b/` as the same folder; `""` and `/` are the root.
    fn from_str(text: &str) -> Result<Self, PathError> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() {
            return Ok(Self::root());
        }
        let names = text
            .split('/')
            .map(FileName::from_str)
            .collect::<Result<Vec<_>, _>>()?;
        Self(names).bounded()
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return out.write_str("/");
        }
        self.0.iter().try_for_each(|name| write!(out, "/{name}"))
    }
}

/// A file's place: a folder and a name in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath {
    folder: FolderPath,
    name: FileName,
}

impl FilePath {
    /// The folder that holds the file.
    pub fn folder(&self) -> &FolderPath {
        &self.folder
    }

    /// The file's name in its folder.
    pub fn name(&self) -> &FileName {
        &self.name
    }

    /// Whether the file lies in `folder` or below it.
    pub fn is_within(&self, folder: &FolderPath) -> bool {
        self.folder.is_within(folder)
    }
}

impl FromStr for FilePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.ends_with('/') {
            return Err(PathError::NoName);
        }
        let path: FolderPath = text.parse()?;
        match path.name() {
            Some(name) => Ok(Self {
                name: name.clone(),
                folder: path.parent().unwrap_or_default(),
            }),
            None => Err(PathError::NoName),
        }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.folder.is_root() {
            write!(out, "/{}", self.name)
        } else {
            write!(out, "{}/{}", self.folder, self.name)
        }
    }
}

as_text!(FileName, FolderPath, FilePath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_slash_is_optional_and_one_trailing_slash_is_forgiven() {
        for text in ["a/b", "/a/b", "/a/b/", "a/b/"] {
            assert_eq!(
                text.parse::<FolderPath>().map(|p| p.to_string()),
                Ok("/a/b".to_owned())
            );
        }
        assert!("".parse::<FolderPath>().is_ok_and(|p| p.is_root()));
        assert!("/".parse::<FolderPath>().is_ok_and(|p| p.is_root()));
    }

    #[test]
    fn ways_out_of_the_root_are_refused() {
        for text in [
            "..", "a/..", "a/../b", "./a", "a//b", "//a", "a\\b", "a\0b", "a\nb", "a\u{7f}",
            "a\u{85}b",
        ] {
            assert!(text.parse::<FolderPath>().is_err(), "{text:?}");
            assert!(text.parse::<FilePath>().is_err(), "{text:?}");
        }
        assert!("a..b".parse::<FilePath>().is_ok());
        assert!("...".parse::<FilePath>().is_ok());
        assert_eq!("a/".parse::<FilePath>(), Err(PathError::NoName));
        assert_eq!("/".parse::<FilePath>(), Err(PathError::NoName));
    }

    #[test]
    fn names_are_compared_in_nfc() {
        assert_eq!("e\u{301}".parse::<FileName>(), "\u{e9}".parse::<FileName>());
    }

    #[test]
    fn long_and_deep_paths_are_refused() {
        assert!(
            "x".repeat(limit::NAME_BYTES_MAX)
                .parse::<FileName>()
                .is_ok()
        );
        assert!(
            "x".repeat(limit::NAME_BYTES_MAX + 1)
                .parse::<FileName>()
                .is_err()
        );
        assert!(
            "x/".repeat(limit::PATH_DEPTH_MAX)
                .parse::<FolderPath>()
                .is_ok()
        );
        assert!(
            "x/".repeat(limit::PATH_DEPTH_MAX + 1)
                .parse::<FolderPath>()
                .is_err()
        );
    }

    #[test]
    fn within_means_whole_segments() {
        let path = |text: &str| text.parse::<FolderPath>().unwrap_or_default();
        assert!(path("/a/b").is_within(&path("/a")));
        assert!(path("/a").is_within(&path("/")));
        assert!(!path("/ab").is_within(&path("/a")));
    }

    #[test]
    fn numbers_go_before_the_extension() {
        let name = |text: &str| {
            text.parse::<FileName>()
                .and_then(|n| n.numbered(2))
                .map(|n| n.to_string())
        };
        assert_eq!(name("a.csv"), Ok("a (2).csv".to_owned()));
        assert_eq!(name(".profile"), Ok(".profile (2)".to_owned()));
    }
}
