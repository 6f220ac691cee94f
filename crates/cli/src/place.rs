use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use bailee_client::model::{FileId, RemoteName};

/// Where something is, as written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `-`: stdin or stdout.
    Standard,
    /// A path of this machine.
    Local(PathBuf),
    /// `:/inbox/a.csv` or `bailee:/inbox/a.csv`. Always begins with a slash; a trailing one is kept, for it says "folder".
    Bailee(String),
    /// `fil_…`: a version in Bailee.
    Version(FileId),
    /// `bank:/in/a.csv`: a path at a remote.
    Remote {
        /// The remote's name.
        remote: RemoteName,
        /// The path there.
        path: String,
    },
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a path is not empty".to_owned());
        }
        if text == "-" {
            return Ok(Self::Standard);
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Version(id));
        }
        let Some((before, after)) = text.split_once(':') else {
            return Ok(Self::Local(text.into()));
        };
        if before.is_empty() || before == "bailee" {
            return Ok(Self::Bailee(format!("/{}", after.trim_start_matches('/'))));
        }
        match before.parse() {
            // `c:\x` is a drive, and `./a:b` a local file: only `name:/path` is a remote.
            Ok(remote) if after.starts_with('/') => Ok(Self::Remote {
                remote,
                path: after.to_owned(),
            }),
            _ => Ok(Self::Local(text.into())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => out.write_str("-"),
            Self::Local(path) => path.display().fmt(out),
            Self::Bailee(path) => write!(out, ":{path}"),
            Self::Version(id) => id.fmt(out),
            Self::Remote { remote, path } => write!(out, "{}:{path}", remote.as_str()),
        }
    }
}

impl Place {
    /// The last name of the path, if it has one.
    pub fn name(&self) -> Option<String> {
        let path = match self {
            Self::Standard | Self::Version(_) => return None,
            Self::Local(path) => {
                let whole = path.canonicalize().ok();
                let path = path.file_name().or_else(|| whole.as_ref()?.file_name())?;
                return path.to_str().map(str::to_owned);
            }
            Self::Bailee(path) | Self::Remote { path, .. } => path,
        };
        let name = path.trim_end_matches('/').rsplit('/').next()?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Whether it says by a trailing slash that it is a folder.
    pub fn says_folder(&self) -> bool {
        match self {
            Self::Bailee(path) | Self::Remote { path, .. } => path.ends_with('/'),
            Self::Local(path) => path.as_os_str().as_encoded_bytes().ends_with(b"/"),
            Self::Standard | Self::Version(_) => false,
        }
    }

    /// The path in Bailee, without a trailing slash, or the reason why this is none.
    pub fn bailee_path(&self) -> Result<String, crate::Failure> {
        match self {
            Self::Bailee(path) if path == "/" => Ok(path.clone()),
            Self::Bailee(path) => Ok(path.trim_end_matches('/').to_owned()),
            _ => Err(crate::Failure::usage(
                format!("`{self}` is not a path in Bailee"),
                "Paths in Bailee begin with a colon: :/inbox/report.csv",
            )),
        }
    }
}

/// `folder` and `name` as one path in Bailee.
pub fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse().unwrap()
    }

    #[test]
    fn paths_say_where_they_are() {
        assert_eq!(
            place(":/inbox/a.csv"),
            Place::Bailee("/inbox/a.csv".to_owned())
        );
        assert_eq!(place("bailee:/x"), Place::Bailee("/x".to_owned()));
        assert_eq!(place(":x/"), Place::Bailee("/x/".to_owned()));
        assert_eq!(place(":"), Place::Bailee("/".to_owned()));
        assert_eq!(place(":/a:b"), Place::Bailee("/a:b".to_owned()));
        assert_eq!(place("-"), Place::Standard);
        for local in [
            "./x", "/x", "x", "../a:b", "./a:/b", "C:\\x", "c:x", "Bank:/x",
        ] {
            assert_eq!(place(local), Place::Local(local.into()), "{local}");
        }
        let remote = place("bank:/in/a.csv");
        assert!(
            matches!(&remote, Place::Remote { remote, path } if remote.as_str() == "bank" && path == "/in/a.csv")
        );
        assert!(matches!(
            place("fil_01m7yp4jy0emq8k9w39qsaekf4"),
            Place::Version(_)
        ));
        assert!("".parse::<Place>().is_err());
        for text in [
            ":/a/b",
            "-",
            "./x",
            "bank:/in/",
            "fil_01m7yp4jy0emq8k9w39qsaekf4",
        ] {
            assert_eq!(place(text).to_string(), text);
        }
    }

    #[test]
    fn names_and_folders_are_told() {
        assert_eq!(place(":/a/b.csv").name().as_deref(), Some("b.csv"));
        assert_eq!(place(":/a/b/").name().as_deref(), Some("b"));
        assert_eq!(place(":/").name(), None);
        assert!(
            place(":/a/").says_folder()
                && place("./a/").says_folder()
                && !place(":/a").says_folder()
        );
        assert_eq!(place(":/a/").bailee_path().unwrap(), "/a");
        assert_eq!(place(":/").bailee_path().unwrap(), "/");
        assert!(place("./a").bailee_path().is_err());
        assert_eq!(join("/", "a"), "/a");
        assert_eq!(join("/x/", "a"), "/x/a");
    }
}
