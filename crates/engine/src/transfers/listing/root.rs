//! A source folder that is opened, in Bailee or at a remote.

use bailee_connect::{Listing, RemotePath};
use bailee_core::model::{
    Cursor, End, FolderPath, Page, PageRequest, RemoteName, limit as model_limit,
};
use bailee_core::{Child, RunEnd};

use super::super::attempt::Attempt;
use super::super::far::Far;
use super::super::fault::{Halt, Side, Trouble, bad_path, from_core};
use super::super::learn;

/// A source that is opened.
pub(super) enum Root {
    /// A folder in Bailee.
    Bailee(FolderPath),
    /// A folder at a remote.
    Far(Box<FarRoot>),
}

pub(super) struct FarRoot {
    pub(super) far: Far,
    pub(super) name: RemoteName,
    pub(super) path: RemotePath,
    /// The folder that was listed last.
    pub(super) listed: Option<(Vec<String>, Listing)>,
}

/// A file as its folder tells of it.
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) size_bytes: Option<u64>,
}

impl FarRoot {
    pub(super) async fn list(&mut self, folder: &[String]) -> Result<&Listing, Halt> {
        if self.listed.as_ref().is_none_or(|(path, _)| path != folder) {
            let mut path = self.path.clone();
            for name in folder {
                path = path.child(name).map_err(|error| bad_path(name, error))?;
            }
            let listing = self.far.list(&path).await?;
            if listing.is_cut {
                let message = format!(
                    "Remote `{}`: the folder `{path}` holds more entries than are read of one folder ({}).",
                    self.name,
                    listing.entries.len()
                );
                let hint = "Have the partner spread the files over folders, or name the files in `sources`.";
                return Err(Trouble::new("remote_failed", message, hint).into());
            }
            self.listed = Some((folder.to_vec(), listing));
        }
        self.listed
            .as_ref()
            .map(|(_, listing)| listing)
            .ok_or_else(|| bad_path("", "it was not listed"))
    }
}

pub(super) async fn open(attempt: &Attempt<'_>, source: &End) -> Result<Root, Halt> {
    let (name, text) = match source {
        End::Remote { remote, path } => (remote, path),
        End::Folder { path } => return Ok(Root::Bailee(path.clone())),
        other => return Err(bad_path(&other.to_string(), "it is no folder")),
    };
    let runs = attempt.shared.core.runs();
    let opened = runs.open_end(&attempt.caller, source).await;
    let RunEnd::Remote(target, _) = opened.map_err(|error| from_core(&error, Side::Source))? else {
        return Err(bad_path(text, "it is no place at a remote"));
    };
    let ends = RunEnd::Remote(target.clone(), text.clone());
    learn(attempt.shared, attempt.lease, [&ends, &ends]);
    let far = Far::open(attempt.shared, &target, Side::Source, attempt.stop).await?;
    Ok(Root::Far(Box::new(FarRoot {
        far,
        name: name.clone(),
        path: text.parse().map_err(|error| bad_path(text, error))?,
        listed: None,
    })))
}

pub(super) async fn children(
    attempt: &Attempt<'_>,
    folder: FolderPath,
    page: PageRequest,
) -> Result<Page<Child>, Halt> {
    let folders = attempt.shared.core.folders();
    let page = folders.children(&attempt.caller, folder, page).await;
    page.map_err(|error| from_core(&error, Side::Source))
}

pub(super) async fn folders_in(
    attempt: &Attempt<'_>,
    folder: FolderPath,
) -> Result<Vec<String>, Halt> {
    let mut names = Vec::new();
    let mut page = PageRequest {
        limit: model_limit::PAGE_MAX,
        after: None,
    };
    loop {
        let found = children(attempt, folder.clone(), page.clone()).await?;
        let all = found.data.len();
        let folders = found.data.into_iter().filter_map(|child| match child {
            Child::Folder(folder) => folder.path.name().map(ToString::to_string),
            Child::File(_) => None,
        });
        let had = names.len();
        names.extend(folders);
        page.after = found.next;
        // Files come after all folders.
        if page.after.is_none() || names.len() - had < all {
            return Ok(names);
        }
        if names.len() > model_limit::TRANSFER_FOLDERS_WAITING_MAX {
            return Ok(names);
        }
    }
}

pub(super) async fn files_in(
    attempt: &Attempt<'_>,
    folder: FolderPath,
    (after, most): (&str, usize),
) -> Result<(Vec<Seen>, bool), Halt> {
    let page = PageRequest {
        limit: u32::try_from(most)
            .unwrap_or(model_limit::PAGE_MAX)
            .min(model_limit::PAGE_MAX),
        after: Some(Cursor {
            key: "file".to_owned(),
            id: after.to_owned(),
        }),
    };
    let found = children(attempt, folder, page).await?;
    let files = found.data.into_iter().filter_map(|child| match child {
        Child::File(file) => Some(Seen {
            name: file.path.name().to_string(),
            size_bytes: Some(file.size_bytes),
        }),
        Child::Folder(_) => None,
    });
    Ok((files.collect(), found.next.is_some()))
}
