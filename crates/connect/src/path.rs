//! Paths on a far system, parsed once.

use std::fmt;
use std::str::FromStr;

use crate::limit;

/// Why a text is not a remote path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemotePathError {
    /// A `.`, `..` or empty segment.
    #[error("a remote path may not hold empty, `.` or `..` segments")]
    Segment,
    /// NUL, another control character, or a backslash.
    #[error("a remote path may not hold control characters or backslashes")]
    Character,
    /// A segment over 255 bytes or a path over 4,096.
    #[error("the remote path is too long")]
    TooLong,
}

/// A place on a far system: `/a/b` from its root, `a/b` from the sign-in folder, `""` and `/` those folders themselves.
///
/// It cannot leave where it starts: no `..`, no empty segment. Names are kept as they are, without normalisation,
/// because far systems compare bytes. Where a remote has a base folder, both spellings are taken beneath it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemotePath {
    is_absolute: bool,
    names: Vec<String>,
}

impl RemotePath {
    /// Whether the path starts at the far system's root.
    pub fn is_absolute(&self) -> bool {
        self.is_absolute
    }

    /// Whether this is the starting folder itself.
    pub fn is_start(&self) -> bool {
        self.names.is_empty()
    }

    /// The segments from the start down.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The last segment; `None` for the starting folder.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    /// The folder that holds this; `None` for the starting folder.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.names.split_last()?;
        Some(Self {
            is_absolute: self.is_absolute,
            names: above.to_vec(),
        })
    }

    /// `name` in this folder.
    pub fn child(&self, name: &str) -> Result<Self, RemotePathError> {
        check(name)?;
        let mut path = self.clone();
        path.names.push(name.to_owned());
        path.bounded()
    }

    /// The place beside this one where its bytes wait until they are complete: hidden and marked with `tag`.
    pub fn temporary(&self, tag: &str) -> Result<Self, RemotePathError> {
        let folder = self.parent().ok_or(RemotePathError::Segment)?;
        let name = self.name().unwrap_or_default();
        let room = limit::SEGMENT_BYTES_MAX.saturating_sub(tag.len() + "..part.".len());
        let kept = name
            .char_indices()
            .take_while(|(at, c)| at + c.len_utf8() <= room)
            .map(|(_, c)| c);
        folder.child(&format!(".{}.{tag}.part", kept.collect::<String>()))
    }

    /// `inner` beneath this folder, however `inner` is spelled.
    pub(crate) fn beneath(&self, inner: &Self) -> Self {
        let names = self.names.iter().chain(&inner.names).cloned().collect();
        Self {
            is_absolute: self.is_absolute,
            names,
        }
    }

    fn bounded(self) -> Result<Self, RemotePathError> {
        let bytes: usize = self.names.iter().map(|name| name.len() + 1).sum();
        if bytes > limit::PATH_BYTES_MAX {
            Err(RemotePathError::TooLong)
        } else {
            Ok(self)
        }
    }
}

fn check(name: &str) -> Result<(), RemotePathError> {
    if name.chars().any(|c| c.is_control() || c == '\\') {
        return Err(RemotePathError::Character);
    }
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return Err(RemotePathError::Segment);
    }
    if name.len() > limit::SEGMENT_BYTES_MAX {
        return Err(RemotePathError::TooLong);
    }
    Ok(())
}

impl FromStr for RemotePath {
    type Err = RemotePathError;

    /// Reads `a/b`, `/a/b`, and forgives one trailing slash.
    fn from_str(text: &str) -> Result<Self, RemotePathError> {
        let (is_absolute, rest) = text
            .strip_prefix('/')
            .map_or((false, text), |rest| (true, rest));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Ok(Self {
                is_absolute,
                names: Vec::new(),
            });
        }
        rest.split('/').try_for_each(check)?;
        Self {
            is_absolute,
            names: rest.split('/').map(str::to_owned).collect(),
        }
        .bounded()
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_absolute {
            out.write_str("/")?;
        }
        for (at, name) in self.names.iter().enumerate() {
            out.write_str(if at == 0 { "" } else { "/" })?;
            out.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn path(text: &str) -> RemotePath {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_reads_back_as_itself() {
        for text in ["/", "", "a", "/a", "a/b c", "/a/b.csv", "/ä/…"] {
            assert_eq!(path(text).to_string(), text);
        }
        assert_eq!(path("/a/b/"), path("/a/b"));
    }

    #[test]
    fn ways_out_are_refused() {
        for text in [
            "..", "a/..", "/../a", "./a", "a//b", "//a", "a\\..\\b", "a\0b", "a\nb", "a\u{7f}",
            "a\u{9b}b",
        ] {
            assert!(text.parse::<RemotePath>().is_err(), "{text:?}");
        }
        assert_eq!(
            "x".repeat(256).parse::<RemotePath>(),
            Err(RemotePathError::TooLong)
        );
        assert_eq!(
            "x/".repeat(3000).parse::<RemotePath>(),
            Err(RemotePathError::TooLong)
        );
        assert!(path("a").child("../b").is_err());
    }

    #[test]
    fn a_base_folder_holds_both_spellings() {
        assert_eq!(path("/base").beneath(&path("/a")), path("/base/a"));
        assert_eq!(path("/base").beneath(&path("a")), path("/base/a"));
        assert_eq!(path("base").beneath(&path("/")), path("base"));
    }

    #[test]
    fn a_temporary_name_stays_beside_and_within_bounds() {
        assert_eq!(
            path("/in/a.csv").temporary("t1").unwrap(),
            path("/in/.a.csv.t1.part")
        );
        let long = path(&"ä".repeat(127)).temporary("xfr_1").unwrap();
        assert!(long.name().unwrap().len() <= 255);
        assert!(path("/").temporary("t").is_err());
    }
}
