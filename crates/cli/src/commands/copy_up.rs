use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailee_client::model::FileName;
use bailee_client::{CheckpointFile, Checkpoints, Client, Digest};

use super::copy::{CHECKPOINT_LIFE, Task};
use crate::Failure;
use crate::place::join;
use crate::session::Session;

/// Deepest local folder that is followed; the server allows no deeper path.
const DEPTH_MAX: usize = 64;

/// Adds the local file or folder `path` to the plan, as `target` in Bailee.
pub(super) fn plan(
    path: &Path,
    target: &str,
    recursive: bool,
    tasks: &mut Vec<Task>,
) -> Result<(), Failure> {
    // The argument itself may be a symbolic link: somebody named it.
    let facts = fs::metadata(path).map_err(Failure::local("read", path))?;
    if !facts.is_dir() {
        tasks.push(Task::Up {
            source: path.to_owned(),
            target: target.to_owned(),
        });
        return Ok(());
    }
    if !recursive {
        return Err(Failure::usage(
            format!("{} is a folder", path.display()),
            "Add -r to copy it with all it holds.",
        ));
    }
    walk(path, target, 0, tasks)
}

fn walk(folder: &Path, target: &str, depth: usize, tasks: &mut Vec<Task>) -> Result<(), Failure> {
    if depth >= DEPTH_MAX {
        return Err(Failure::Other(format!("{} is too deep", folder.display())));
    }
    let failed = || Failure::local("read", folder);
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.map_err(failed())?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut empty = true;
    for entry in entries {
        let kind = entry.file_type().map_err(failed())?;
        let target = || -> Result<String, Failure> {
            let name = entry.file_name();
            let name: Option<FileName> = name.to_str().and_then(|name| name.parse().ok());
            match name {
                Some(name) => Ok(join(target, name.as_str())),
                None => Err(Failure::Other(format!(
                    "{} has no name for Bailee",
                    entry.path().display()
                ))),
            }
        };
        if kind.is_dir() {
            empty = false;
            walk(&entry.path(), &target()?, depth + 1, tasks)?;
        } else if kind.is_file() {
            empty = false;
            tasks.push(Task::Up {
                source: entry.path(),
                target: target()?,
            });
        }
    }
    if empty {
        tasks.push(Task::Folder {
            target: target.to_owned(),
        });
    }
    Ok(())
}

/// Where an interrupted upload of `source` to `target` is remembered.
pub(super) fn checkpoint(
    session: &Session,
    client: &Client,
    source: &Path,
    target: &str,
    resume: bool,
) -> Option<Arc<dyn Checkpoints>> {
    let folder = session.environment.uploads_folder()?;
    forget_old(&folder);
    let whole = source.canonicalize().ok()?;
    let file = CheckpointFile::new(folder.join(file_name(client.base_url(), &whole, target)));
    if !resume {
        file.clear();
    }
    Some(Arc::new(file))
}

/// One name for each pair of source and destination.
fn file_name(server: &str, source: &Path, target: &str) -> PathBuf {
    let mut text = Vec::new();
    for piece in [
        server.as_bytes(),
        source.as_os_str().as_encoded_bytes(),
        target.as_bytes(),
    ] {
        text.extend_from_slice(&(piece.len() as u64).to_be_bytes());
        text.extend_from_slice(piece);
    }
    let digest = Digest::of(&text).hex();
    format!("{}.json", digest.get(..32).unwrap_or(&digest)).into()
}

/// Removes checkpoints whose session the server has forgotten. Failing is harmless.
fn forget_old(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|facts| facts.modified());
        if modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > CHECKPOINT_LIFE)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_files_and_its_empty_folders() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir(root.join("empty")).unwrap();
        fs::write(root.join("a/b/two"), "2").unwrap();
        fs::write(root.join("one"), "1").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
        let mut tasks = Vec::new();
        plan(root, "/in/x", true, &mut tasks).unwrap();
        let targets: Vec<_> = tasks
            .iter()
            .map(|task| match task {
                Task::Up { target, .. } => target.clone(),
                Task::Folder { target } => format!("{target}/"),
                _ => String::new(),
            })
            .collect();
        assert_eq!(targets, ["/in/x/a/b/two", "/in/x/empty/", "/in/x/one"]);
        assert!(plan(root, "/in/x", false, &mut tasks).is_err());
        assert!(
            plan(&root.join("missing"), "/x", false, &mut tasks)
                .unwrap_err()
                .exit_code()
                == 3
        );
    }

    #[test]
    fn checkpoints_of_different_pairs_have_different_names() {
        let name = |server, source: &str, target| file_name(server, Path::new(source), target);
        let first = name("https://a", "/x", "/y");
        assert_eq!(first, name("https://a", "/x", "/y"));
        for other in [
            name("https://b", "/x", "/y"),
            name("https://a", "/x/", "y"),
            name("https://a", "/x", "/z"),
        ] {
            assert_ne!(first, other);
        }
    }
}
