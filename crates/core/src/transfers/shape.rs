//! Whether a transfer moves one file or many, and what its destination then means.

use bailee_auth::Caller;
use bailee_model::{Bundle, End, Error, ErrorKind, FileName, Result};

use super::{NewTransfer, Transfers};
use crate::files::FileRef;

impl Transfers<'_> {
    /// What a transfer of many files lists; `None` for one file. The destination is made what it then is: a folder for
    /// many, a place for one.
    ///
    /// Whether a path at a remote without a trailing slash is a folder is found by the transfer itself.
    pub(super) async fn shape(
        &self,
        caller: &Caller,
        new: &mut NewTransfer,
    ) -> Result<Option<Bundle>> {
        let is_list = !new.sources.is_empty();
        if !is_list {
            self.recognise(caller, &mut new.source).await?;
        }
        let has_globs = !new.include.is_empty() || !new.exclude.is_empty();
        if !is_list && !has_globs && !says_folder(&new.source) {
            if let End::Folder { path } = &new.destination {
                let name = self.name_of(caller, &new.source).await?;
                new.destination = End::Path {
                    path: path.file(name),
                };
            }
            if new.source == new.destination {
                return Err(same_end());
            }
            return Ok(None);
        }
        new.destination = as_folder(&new.destination)?;
        let mut sources = std::mem::take(&mut new.sources);
        match sources.first() {
            Some(first) => new.source = first.clone(),
            None if says_folder(&new.source) => sources.push(new.source.clone()),
            // Patterns are about what is in a folder.
            None => {
                new.source = as_folder(&new.source)?;
                sources.push(new.source.clone());
            }
        }
        if sources.iter().any(|source| holds(source, &new.destination)) {
            return Err(Error::field(
                "#/destination",
                "within_source",
                "The destination lies within a source folder; its copies would be copied again.",
            ));
        }
        Ok(Some(Bundle {
            sources,
            include: std::mem::take(&mut new.include),
            exclude: std::mem::take(&mut new.exclude),
            failed_of: None,
        }))
    }

    /// Policy on the sources of a transfer of many files, and whether its folder is there if it is in Bailee.
    pub(super) async fn check_sources(&self, caller: &Caller, bundle: &Bundle) -> Result<()> {
        let mut seen = Vec::new();
        for (at, source) in bundle.sources.iter().enumerate() {
            match source {
                End::Remote { remote, .. } if !seen.contains(&remote) => {
                    let pointer = format!("#/sources/{at}");
                    self.core.usable_remote(caller, remote, &pointer).await?;
                    seen.push(remote);
                }
                End::Folder { .. } if bundle.sources.len() == 1 => {
                    self.core.check_end(caller, source, "#/source").await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A path in Bailee where no file is, but a folder, means the folder.
    async fn recognise(&self, caller: &Caller, source: &mut End) -> Result<()> {
        let End::Path { path } = source.clone() else {
            return Ok(());
        };
        match self.core.check_end(caller, source, "#/source").await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let Ok(folder) = path.folder().child(path.name().clone()) else {
                    return Err(error);
                };
                match self.core.folders().stat(caller, folder.clone()).await {
                    Ok(_) => *source = End::Folder { path: folder },
                    Err(_) => return Err(error),
                }
                Ok(())
            }
            other => other,
        }
    }

    async fn name_of(&self, caller: &Caller, source: &End) -> Result<FileName> {
        match source {
            End::Path { path } => Ok(path.name().clone()),
            End::File { file } => {
                let files = self.core.files();
                let found = files.stat(caller, FileRef::Id(*file)).await?;
                Ok(found.path.name().clone())
            }
            End::Remote { path, .. } => {
                let name = path.rsplit('/').next().unwrap_or_default();
                Ok(name.parse()?)
            }
            End::Folder { .. } => Err(Error::internal("a folder is no single file")),
        }
    }
}

/// Whether an end names a folder by how it is written.
fn says_folder(end: &End) -> bool {
    match end {
        End::Folder { .. } => true,
        End::Remote { path, .. } => path.ends_with('/'),
        End::Path { .. } | End::File { .. } => false,
    }
}

/// The end as the folder that files go into.
pub(super) fn as_folder(end: &End) -> Result<End> {
    Ok(match end {
        End::Path { path } => End::Folder {
            path: path.folder().child(path.name().clone())?,
        },
        End::Remote { remote, path } if !path.ends_with('/') => End::Remote {
            remote: remote.clone(),
            path: format!("{path}/"),
        },
        other => other.clone(),
    })
}

/// Whether `destination` is the folder `source`, or in it.
fn holds(source: &End, destination: &End) -> bool {
    match (source, destination) {
        (End::Folder { path }, End::Folder { path: inner }) => inner.is_within(path),
        (
            End::Remote { remote, path },
            End::Remote {
                remote: other,
                path: inner,
            },
        ) => {
            let names = |path: &str| -> Vec<String> {
                let names = path.split('/').filter(|name| !name.is_empty());
                names.map(str::to_owned).collect()
            };
            remote == other && path.ends_with('/') && names(inner).starts_with(&names(path))
        }
        _ => false,
    }
}

fn same_end() -> Error {
    Error::field(
        "#/destination",
        "same_end",
        "Source and destination are the same.",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::parse_end;

    #[test]
    fn a_destination_within_its_source_is_found() {
        let within = |source: &str, destination: &str| {
            holds(
                &parse_end(source).unwrap(),
                &as_folder(&parse_end(destination).unwrap()).unwrap(),
            )
        };
        assert!(within("a/", "a") && within("a/", "a/b/") && within("/", "b"));
        assert!(within("bank:/a/", "bank:/a/b") && within("bank:/", "bank:b"));
        assert!(!within("a/", "ab/") && !within("bank:/a/", "bank:/ab/"));
        assert!(!within("bank:/a/", "other:/a/") && !within("a/", "bank:/a/"));
        assert!(!within("bank:/a", "bank:/a/"), "a file");
    }
}
