//! Paths below a source, and what they become at the destination.

use bailee_core::model::{End, FileName, FolderPath, TransferFault};

use super::super::fault::{Halt, Trouble, bad_path};

pub(super) fn below(root: &FolderPath, folder: &[String]) -> Result<FolderPath, Halt> {
    let mut path = root.clone();
    for name in folder {
        let child = name.parse::<FileName>().and_then(|name| path.child(name));
        path = child.map_err(|error| bad_path(name, error))?;
    }
    Ok(path)
}

pub(super) fn bailee_file(root: &FolderPath, folder: &[String], name: &str) -> Option<End> {
    let folder = below(root, folder).ok()?;
    // A file's path has bounds of its own.
    folder.child(name.parse().ok()?).ok()?;
    Some(End::Path {
        path: folder.file(name.parse().ok()?),
    })
}

/// A path below a folder at a remote.
pub(super) fn remote_file(folder: &End, path: &str) -> End {
    match folder {
        End::Remote { remote, path: root } => End::Remote {
            remote: remote.clone(),
            path: format!("{}/{path}", root.strip_suffix('/').unwrap_or(root)),
        },
        other => other.clone(),
    }
}

pub(super) fn says_folder(end: &End) -> bool {
    match end {
        End::Folder { .. } => true,
        End::Remote { path, .. } => path.ends_with('/'),
        End::Path { .. } | End::File { .. } => false,
    }
}

pub(super) fn path_of(folder: &[String], name: &str) -> String {
    let names = folder.iter().map(String::as_str).chain([name]);
    names.collect::<Vec<_>>().join("/")
}

pub(super) fn unusable(path: &str, why: &str) -> TransferFault {
    TransferFault {
        code: "invalid_path".to_owned(),
        message: format!("`{path}` cannot be moved: {why}."),
        hint: Some("Rename it at the source, or exclude it.".to_owned()),
    }
}

pub(super) fn too_much(source: &End, what: &str, most: u64) -> Halt {
    let code = match source {
        End::Remote { .. } => "remote_failed",
        _ => "invalid_path",
    };
    let message = format!(
        "The listing of `{source}` has no end within {most} {what}; what was found until then is moved."
    );
    let hint = "Name a folder further down, or narrow it with `include` and `exclude`.";
    Trouble::new(code, message, hint).into()
}
