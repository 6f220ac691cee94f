use std::fs;
use std::path::{Path, PathBuf};

use bailee_client::Client;
use bailee_client::api::{File, FolderEntry};
use bailee_client::model::FileName;

use super::copy::Task;
use crate::Failure;
use crate::place::{Place, join};

/// Adds what `source` names to the plan. `into` says that `target` is a folder that takes it in.
pub(super) async fn plan(
    client: &Client,
    source: &Place,
    target: &Path,
    into: Into,
    tasks: &mut Vec<Task>,
) -> Result<(), Failure> {
    let missing = match super::file::find(client, source).await {
        Ok(file) => {
            let target = match into {
                Into { folder: true, .. } => target.join(safe(&file.name)?),
                Into { .. } => target.to_owned(),
            };
            tasks.push(task(file, target));
            return Ok(());
        }
        Err(failure) if failure.exit_code() == crate::exit::NOT_FOUND => failure,
        Err(failure) => return Err(failure),
    };
    let Place::Bailee(_) = source else {
        return Err(missing);
    };
    let path = source.bailee_path()?;
    if path != "/" && client.folders().stat(&path).await.is_err() {
        return Err(missing);
    }
    if !into.recursive {
        return Err(Failure::usage(
            format!("`{source}` is a folder"),
            "Add -r to copy it with all it holds.",
        ));
    }
    let root = match source.name() {
        Some(name) if into.folder => target.join(safe(&name)?),
        _ => target.to_owned(),
    };
    walk(client, path, root, tasks).await
}

/// How sources land in the target.
#[derive(Clone, Copy)]
pub(super) struct Into {
    /// The target is a folder that takes them in.
    pub(super) folder: bool,
    /// Folders are copied with all they hold.
    pub(super) recursive: bool,
}

async fn walk(
    client: &Client,
    path: String,
    root: PathBuf,
    tasks: &mut Vec<Task>,
) -> Result<(), Failure> {
    let mut open = vec![(path, root)];
    while let Some((path, target)) = open.pop() {
        let mut children = client.folders().children(&path);
        while let Some(child) = children.next().await? {
            match child {
                FolderEntry::File(file) => {
                    let target = target.join(safe(&file.name)?);
                    tasks.push(task(*file, target));
                }
                FolderEntry::Folder(folder) => {
                    let target = target.join(safe(&folder.name)?);
                    open.push((join(&path, &folder.name), target));
                }
            }
        }
    }
    Ok(())
}

fn task(file: File, target: PathBuf) -> Task {
    Task::Down {
        file: file.file_id,
        path: file.path,
        size: file.size,
        target,
    }
}

/// A name from elsewhere becomes a path here only if it is one plain segment.
fn safe(name: &str) -> Result<String, Failure> {
    let plain = name.parse::<FileName>().is_ok() && !(cfg!(windows) && name.contains(':'));
    if plain {
        return Ok(name.to_owned());
    }
    Err(Failure::Other(format!(
        "the server sent `{name}` as a file name; it is not used"
    )))
}

/// Makes the folder that `target` goes into.
pub(super) fn make_parent(target: &Path) -> Result<(), Failure> {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(Failure::local("make", folder))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_elsewhere_cannot_climb() {
        assert!(safe("report.csv").is_ok());
        for name in ["..", ".", "", "a/b", "../x", "a\\b", "a\0b"] {
            assert!(safe(name).is_err(), "{name:?}");
        }
    }
}
