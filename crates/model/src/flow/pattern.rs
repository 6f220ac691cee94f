use std::fmt;
use std::str::FromStr;

use crate::{FilePath, FolderPath, Glob};

/// Files in Bailee by place: a path (`/in/a.csv`), a folder (`/in/`), or a folder and a pattern below it
/// (`/in/*.csv`, `/in/**/*.csv`). Without `**` only the folder itself is meant, not those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    folder: FolderPath,
    rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rest {
    File(FilePath),
    Folder,
    Glob(Glob),
}

impl PathPattern {
    /// The folder in which, or below which, all of them lie.
    pub fn folder(&self) -> &FolderPath {
        &self.folder
    }

    /// The only file that it means, if it is no pattern.
    pub fn file(&self) -> Option<&FilePath> {
        match &self.rest {
            Rest::File(path) => Some(path),
            Rest::Folder | Rest::Glob(_) => None,
        }
    }

    /// Whether a path is meant.
    pub fn matches(&self, path: &FilePath) -> bool {
        let is_direct = path.folder() == &self.folder;
        match &self.rest {
            Rest::File(own) => own == path,
            Rest::Folder => is_direct,
            Rest::Glob(glob) if !glob.is_about_paths() => {
                is_direct && glob.matches(path.name().as_str())
            }
            Rest::Glob(glob) => {
                let above = self.folder.names().len();
                let below = path.folder().names().get(above..).unwrap_or_default();
                let names = below.iter().chain([path.name()]);
                let relative: Vec<&str> = names.map(crate::FileName::as_str).collect();
                path.is_within(&self.folder) && glob.matches(&relative.join("/"))
            }
        }
    }
}

/// Whether a segment holds a letter that means others.
pub fn is_wild(segment: &str) -> bool {
    segment.contains(['*', '?', '['])
}

/// The end and the pattern in a text whose last names are a pattern: `bank:/out/` and `*.csv`.
pub fn split_wild(text: &str) -> (&str, Option<&str>) {
    let start = text.find(':').map_or(0, |at| at + 1);
    let path = text.get(start..).unwrap_or_default();
    let mut end = 0;
    for name in path.split_inclusive('/') {
        if is_wild(name) {
            let at = start + end;
            return (text.get(..at).unwrap_or_default(), text.get(at..));
        }
        end += name.len();
    }
    (text, None)
}

impl FromStr for PathPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let relative = text
            .strip_prefix('/')
            .ok_or("a pattern for files begins with `/`")?;
        let segments: Vec<&str> = relative.split('/').collect();
        let wild = segments.iter().position(|segment| is_wild(segment));
        let read = |text: &str| {
            text.parse::<FolderPath>()
                .map_err(|error| error.to_string())
        };
        let Some(wild) = wild else {
            if text.ends_with('/') {
                return Ok(Self {
                    folder: read(text)?,
                    rest: Rest::Folder,
                });
            }
            let file = text
                .parse::<FilePath>()
                .map_err(|error| error.to_string())?;
            return Ok(Self {
                folder: file.folder().clone(),
                rest: Rest::File(file),
            });
        };
        let above = segments.get(..wild).unwrap_or_default().join("/");
        let glob = segments.get(wild..).unwrap_or_default().join("/");
        Ok(Self {
            folder: read(&above)?,
            rest: Rest::Glob(glob.parse::<Glob>()?),
        })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = if self.folder.is_root() {
            String::new()
        } else {
            self.folder.to_string()
        };
        match &self.rest {
            Rest::File(path) => path.fmt(out),
            Rest::Folder => write!(out, "{root}/"),
            Rest::Glob(glob) => write!(out, "{root}/{glob}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn meets(pattern: &str, path: &str) -> bool {
        let pattern: PathPattern = pattern.parse().unwrap();
        assert_eq!(pattern.to_string().parse::<PathPattern>().unwrap(), pattern);
        pattern.matches(&path.parse().unwrap())
    }

    #[test]
    fn a_pattern_means_its_own_folder() {
        assert!(meets("/in/*.csv", "/in/a.csv") && !meets("/in/*.csv", "/in/b/a.csv"));
        assert!(meets("/in/**/*.csv", "/in/b/a.csv") && meets("/in/**/*.csv", "/in/a.csv"));
        assert!(meets("/in/*/a.csv", "/in/b/a.csv") && !meets("/in/*/a.csv", "/in/a.csv"));
        assert!(meets("/*.csv", "/a.csv") && !meets("/*.csv", "/in/a.csv"));
        assert!(meets("/in/", "/in/x") && !meets("/in/", "/in/x/y"));
        assert!(meets("/in/a.csv", "/in/a.csv") && !meets("/in/a.csv", "/in/b.csv"));
        assert!(meets("/**/*.csv", "/a/b/c.csv"));
    }

    #[test]
    fn what_leaves_its_folder_is_refused() {
        for text in [
            "",
            "in/*.csv",
            "/../*.csv",
            "/in/../*.csv",
            "/in/*/../x",
            "/in//a",
            "/",
        ] {
            let read = text.parse::<PathPattern>();
            assert!(read.is_err() || text == "/", "{text}: {read:?}");
        }
    }

    #[test]
    fn a_pattern_is_cut_from_its_folder() {
        for (text, parts) in [
            ("bank:/out/*.csv", ("bank:/out/", Some("*.csv"))),
            ("/in/2026*/a.csv", ("/in/", Some("2026*/a.csv"))),
            ("bank:/out/a.csv", ("bank:/out/a.csv", None)),
            ("bank:*.csv", ("bank:", Some("*.csv"))),
        ] {
            assert_eq!(split_wild(text), parts);
        }
    }
}
