use std::fmt;
use std::str::FromStr;

use super::is_wild;
use crate::text::as_text;
use crate::{Glob, RemoteName, limit};

/// Files in one folder of a remote: `partner:/out/a.csv`, `partner:/out/` or `partner:/out/*.csv`. The folders above are
/// named in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePattern {
    remote: RemoteName,
    folder: String,
    rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rest {
    File(String),
    All,
    Glob(Glob),
}

impl RemotePattern {
    /// Where the files are.
    pub fn remote(&self) -> &RemoteName {
        &self.remote
    }

    /// The folder that holds them; empty or `/` where the remote starts.
    pub fn folder(&self) -> &str {
        match self.folder.len() {
            0 | 1 => &self.folder,
            _ => self.folder.trim_end_matches('/'),
        }
    }

    /// The only file that it means, if it is no pattern.
    pub fn file(&self) -> Option<&str> {
        match &self.rest {
            Rest::File(name) => Some(name),
            Rest::All | Rest::Glob(_) => None,
        }
    }

    /// Whether a file of this name in the folder is meant.
    pub fn matches(&self, name: &str) -> bool {
        match &self.rest {
            Rest::File(own) => own == name,
            Rest::All => true,
            Rest::Glob(glob) => glob.matches(name),
        }
    }

    /// The path of a file in the folder, as the remote knows it.
    pub fn path_of(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    /// A file in the folder as transfers name it: `partner:/out/a.csv`.
    pub fn place_of(&self, name: &str) -> String {
        format!("{}:{}", self.remote, self.path_of(name))
    }

    /// Whether it means the file of a place.
    pub fn means(&self, place: &str) -> bool {
        let folder = format!("{}:{}", self.remote, self.folder);
        let name = place.strip_prefix(&folder);
        name.is_some_and(|name| !name.contains('/') && self.matches(name))
    }
}

impl FromStr for RemotePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "files at a remote are named like `partner:/out/*.csv`";
        let (remote, path) = text.split_once(':').ok_or(form)?;
        let remote = remote.parse::<RemoteName>().map_err(str::to_owned)?;
        let is_bad =
            path.len() > limit::PATH_BYTES_MAX || path.chars().any(|c| c.is_control() || c == '\\');
        if is_bad || path.is_empty() {
            return Err(form.to_owned());
        }
        let cut = path.rfind('/').map_or(0, |at| at + 1);
        let (folder, name) = path.split_at(cut);
        let inner = folder.strip_prefix('/').unwrap_or(folder);
        let mut names = inner.split_terminator('/');
        if names.any(|name| matches!(name, "" | "." | "..")) || matches!(name, "." | "..") {
            return Err("a path at a remote has no empty, `.` or `..` segments".to_owned());
        }
        if is_wild(folder) || name.contains("**") {
            return Err("only the last name of a watched path can be a pattern".to_owned());
        }
        let rest = match name {
            "" => Rest::All,
            name if is_wild(name) => Rest::Glob(name.parse::<Glob>()?),
            name => Rest::File(name.to_owned()),
        };
        Ok(Self {
            remote,
            folder: folder.to_owned(),
            rest,
        })
    }
}

impl fmt::Display for RemotePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.remote, self.folder)?;
        match &self.rest {
            Rest::File(name) => out.write_str(name),
            Rest::All => Ok(()),
            Rest::Glob(glob) => glob.fmt(out),
        }
    }
}

as_text!(RemotePattern);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_pattern_means_files_of_one_folder() {
        let csv: RemotePattern = "partner:/out/*.csv".parse().unwrap();
        assert_eq!((csv.folder(), csv.file()), ("/out", None));
        assert_eq!(csv.place_of("a.csv"), "partner:/out/a.csv");
        assert!(csv.means("partner:/out/a.csv"));
        for other in [
            "partner:/out/a.txt",
            "partner:/out/deep/a.csv",
            "partner:/in/a.csv",
            "bank:/out/a.csv",
        ] {
            assert!(!csv.means(other), "{other}");
        }
        let all: RemotePattern = "partner:/".parse().unwrap();
        assert_eq!(all.folder(), "/");
        assert!(all.means("partner:/a") && !all.means("partner:/b/a"));
        let start: RemotePattern = "partner:*.csv".parse().unwrap();
        assert_eq!(
            (start.folder(), start.path_of("a.csv").as_str()),
            ("", "a.csv")
        );
        let one: RemotePattern = "partner:out/a.csv".parse().unwrap();
        assert_eq!((one.folder(), one.file()), ("out", Some("a.csv")));
        for text in [
            "partner:/out/*.csv",
            "partner:/",
            "partner:*.csv",
            "partner:out/a.csv",
        ] {
            assert_eq!(text.parse::<RemotePattern>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_leaves_its_folder_or_names_several_is_refused() {
        for text in [
            "/out/*.csv",
            "partner:",
            "Partner:/a",
            "partner:/a/../b",
            "partner://a",
            "partner:/*/a.csv",
            "partner:/out/**",
            "partner:/out/[",
            "partner:/a\\b",
            "partner:/..",
        ] {
            assert!(text.parse::<RemotePattern>().is_err(), "{text}");
        }
    }
}
