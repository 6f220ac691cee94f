//! A source folder that is opened, in Bailee or at a remote.

use bailee_connect::{EntryKind, Listing, RemotePath};
use bailee_core::model::{Cursor, End, FolderPath, Page, PageRequest, limit as model_limit};
use bailee_core::{Child, RunEnd};

use super::super::far::Far;
use super::super::fault::{Halt, Side, bad_path, from_core};
use super::super::learn;
use super::super::sight::Sight;

/// A source that is opened.
pub(super) enum Root {
    /// A folder in Bailee.
    Bailee(FolderPath),
    /// A folder at a remote.
    Far(Box<FarRoot>),
}

pub(super) struct FarRoot {
    far: Far,
    path: RemotePath,
    /// The page that was listed last.
    page: Option<FarPage>,
    /// The folder whose entries without a usable name were counted last, and how many they are.
    unnameable: Option<(Vec<String>, usize)>,
}

/// Entries of a folder behind a name, by name.
struct FarPage {
    folder: Vec<String>,
    after: String,
    listing: Listing,
}

impl FarPage {
    /// Whether the first file behind `after` is in it, or there is none.
    fn covers(&self, folder: &[String], after: &str) -> bool {
        let last = self.listing.entries.last();
        self.folder == folder
            && self.after.as_str() <= after
            && (!self.listing.is_cut || last.is_some_and(|last| last.name.as_str() > after))
    }
}

/// A file as its folder tells of it.
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) size_bytes: Option<u64>,
}

impl FarRoot {
    /// Hangs up.
    pub(super) async fn close(&self) {
        self.far.close().await;
    }

    /// How many entries of the folder that was listed last have names that no path can hold.
    pub(super) fn unnameable_count(&self, folder: &[String]) -> usize {
        let counted = self.unnameable.as_ref();
        counted
            .filter(|(path, _)| path == folder)
            .map_or(0, |(_, count)| *count)
    }

    /// The next files of a folder, and whether there may be more.
    pub(super) async fn files(
        &mut self,
        folder: &[String],
        (after, most): (&str, usize),
    ) -> Result<(Vec<Seen>, bool), Halt> {
        let (mut files, mut behind) = (Vec::new(), after.to_owned());
        loop {
            let listing = self.page(folder, &behind).await?;
            let found = listing
                .entries
                .iter()
                .filter(|entry| entry.kind == EntryKind::File && entry.name > behind)
                .map(|entry| Seen {
                    name: entry.name.clone(),
                    size_bytes: entry.size_bytes,
                });
            files.extend(found.take(most + 1));
            let next = listing.entries.last().filter(|_| listing.is_cut);
            let Some(next) = next.filter(|_| files.is_empty()) else {
                let is_more = files.len() > most || next.is_some();
                files.truncate(most);
                return Ok((files, is_more));
            };
            // A page of folders only.
            behind.clone_from(&next.name);
        }
    }

    /// The folders in a folder, by name.
    pub(super) async fn folders(&mut self, folder: &[String]) -> Result<Vec<String>, Halt> {
        let (mut names, mut behind) = (Vec::new(), String::new());
        loop {
            let listing = self.page(folder, &behind).await?;
            let folders = listing
                .entries
                .iter()
                .filter(|entry| entry.kind == EntryKind::Folder && entry.name > behind);
            names.extend(folders.map(|entry| entry.name.clone()));
            match listing.entries.last().filter(|_| listing.is_cut) {
                Some(last) if names.len() <= model_limit::TRANSFER_FOLDERS_WAITING_MAX => {
                    behind.clone_from(&last.name);
                }
                _ => return Ok(names),
            }
        }
    }

    async fn page(&mut self, folder: &[String], after: &str) -> Result<&Listing, Halt> {
        let known = self.page.take().filter(|page| page.covers(folder, after));
        let page = if let Some(page) = known {
            page
        } else {
            let mut path = self.path.clone();
            for name in folder {
                path = path.child(name).map_err(|error| bad_path(name, error))?;
            }
            let listing = self.far.list_after(&path, after).await?;
            let count = listing.unnameable_count.max(self.unnameable_count(folder));
            self.unnameable = Some((folder.to_vec(), count));
            FarPage {
                folder: folder.to_vec(),
                after: after.to_owned(),
                listing,
            }
        };
        Ok(&self.page.insert(page).listing)
    }
}

pub(super) async fn open(sight: Sight<'_>, source: &End) -> Result<Root, Halt> {
    let text = match source {
        End::Remote { path, .. } => path,
        End::Folder { path } => return Ok(Root::Bailee(path.clone())),
        other => return Err(bad_path(&other.to_string(), "it is no folder")),
    };
    let runs = sight.shared.core.runs();
    let opened = runs.open_end(sight.caller, source).await;
    let RunEnd::Remote(target, _) = opened.map_err(|error| from_core(&error, Side::Source))? else {
        return Err(bad_path(text, "it is no place at a remote"));
    };
    let ends = RunEnd::Remote(target.clone(), text.clone());
    if let Some(lease) = sight.lease {
        learn(sight.shared, lease, [&ends, &ends]);
    }
    let far = Far::open(sight.shared, &target, Side::Source, sight.stop).await?;
    Ok(Root::Far(Box::new(FarRoot {
        far,
        path: text.parse().map_err(|error| bad_path(text, error))?,
        page: None,
        unnameable: None,
    })))
}

pub(super) async fn children(
    sight: Sight<'_>,
    folder: FolderPath,
    page: PageRequest,
) -> Result<Page<Child>, Halt> {
    let folders = sight.shared.core.folders();
    let page = folders.children(sight.caller, folder, page).await;
    page.map_err(|error| from_core(&error, Side::Source))
}

pub(super) async fn folders_in(sight: Sight<'_>, folder: FolderPath) -> Result<Vec<String>, Halt> {
    let mut names = Vec::new();
    let mut page = PageRequest {
        limit: model_limit::PAGE_MAX,
        after: None,
    };
    loop {
        let found = children(sight, folder.clone(), page.clone()).await?;
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
    sight: Sight<'_>,
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
    let found = children(sight, folder, page).await?;
    let files = found.data.into_iter().filter_map(|child| match child {
        Child::File(file) => Some(Seen {
            name: file.path.name().to_string(),
            size_bytes: Some(file.size_bytes),
        }),
        Child::Folder(_) => None,
    });
    Ok((files.collect(), found.next.is_some()))
}
