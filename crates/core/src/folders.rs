//! Folders.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Cursor, Error, ErrorKind, File, Folder, FolderId, FolderPath, Page, PageRequest, Result,
};
use bailee_store::{Change, DbError, Reader, conflict};

use crate::files::RACES_MAX;
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::keyring::Known;
use crate::{Core, error};

/// Most folders and files that one recursive delete takes; a larger tree is deleted in several calls.
const TREE_MAX: u32 = 1000;

/// The folders of the caller's tenant.
pub struct Folders<'a> {
    pub(crate) core: &'a Core,
}

/// One thing in a folder.
#[derive(Clone, Debug)]
pub enum Child {
    /// A folder.
    Folder(Folder),
    /// A file's current version.
    File(Box<File>),
}

/// Whether a folder is deleted with what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recursive {
    /// Only an empty one.
    No,
    /// With everything.
    Yes,
}

impl Folders<'_> {
    /// Makes a folder and those above it. `false`: it was there.
    pub async fn create(&self, caller: &Caller, path: FolderPath) -> Result<(Folder, bool)> {
        if let Some(made) = earlier(caller)? {
            return Ok((made, true));
        }
        let permit = self
            .enter(caller, "folders.create", Action::FolderWrite, &path)
            .await?;
        let known = self.core.tenant(permit.tenant()).await?;
        for _ in 0..RACES_MAX {
            let reader = self.core.store.reader(&permit);
            let (deepest, missing) = reader.deepest_folder(&path).await.map_err(error::from_db)?;
            if missing == 0 {
                return Ok((deepest, false));
            }
            self.refuse_file_in_way(&reader, &deepest, &path).await?;
            let mut change = self.core.store.change(&permit);
            let way = Way {
                deepest,
                missing,
                path: &path,
            };
            let folder = self
                .core
                .make_folders(caller, &mut change, way, &known)
                .await?;
            made(&mut change, &folder)?;
            change.journal(&self.core.permitted(
                caller,
                &permit,
                Note::record("folders.create").at(&path),
            ));
            match change.commit().await {
                Ok(()) => return Ok((folder, true)),
                Err(DbError::Conflict(conflict::PLACE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(busy())
    }

    /// A folder's description.
    pub async fn stat(&self, caller: &Caller, path: FolderPath) -> Result<Folder> {
        let permit = self
            .enter(caller, "folders.stat", Action::FileList, &path)
            .await?;
        self.find(&self.core.store.reader(&permit), &path).await
    }

    /// What is in a folder: first the folders, then the files, each by name.
    pub async fn children(
        &self,
        caller: &Caller,
        path: FolderPath,
        page: PageRequest,
    ) -> Result<Page<Child>> {
        let permit = self
            .enter(caller, "folders.children", Action::FileList, &path)
            .await?;
        let reader = self.core.store.reader(&permit);
        let folder = self.find(&reader, &path).await?;
        let wanted = page.limit + 1;
        let after = page.after.unwrap_or(Cursor {
            key: "folder".to_owned(),
            id: String::new(),
        });
        let mut found = Vec::new();
        let mut files_after = after.id.clone();
        if after.key == "folder" {
            let folders = reader
                .folders_in(&folder, &after.id, wanted)
                .await
                .map_err(error::from_db)?;
            found.extend(folders.into_iter().map(Child::Folder));
            files_after = String::new();
        }
        let left = wanted.saturating_sub(found.len() as u32);
        if left > 0 {
            let files = reader
                .files_in(folder.id, &path, &files_after, left)
                .await
                .map_err(error::from_db)?;
            found.extend(files.into_iter().map(|file| Child::File(Box::new(file))));
        }
        Ok(Page::cut(found, page.limit, |last| match last {
            Child::Folder(folder) => Cursor {
                key: "folder".to_owned(),
                id: name(folder),
            },
            Child::File(file) => Cursor {
                key: "file".to_owned(),
                id: file.path.name().to_string(),
            },
        }))
    }

    /// Renames or moves a folder with all that is in it.
    pub async fn rename(
        &self,
        caller: &Caller,
        from: FolderPath,
        to: FolderPath,
    ) -> Result<Folder> {
        let permit = self
            .enter(caller, "folders.update", Action::FolderWrite, &from)
            .await?;
        self.enter(caller, "folders.update", Action::FolderWrite, &to)
            .await?;
        let (Some(parent), Some(new_name)) = (to.parent(), to.name().cloned()) else {
            return Err(Error::new(
                ErrorKind::InvalidPath,
                "The root cannot be a destination.",
            ));
        };
        if from.is_root() || to.is_within(&from) {
            return Err(Error::new(
                ErrorKind::StateConflict,
                "A folder cannot move into itself.",
            ));
        }
        let known = self.core.tenant(permit.tenant()).await?;
        known.tenant.settings.name_rule.admit(&new_name)?;
        for _ in 0..RACES_MAX {
            let reader = self.core.store.reader(&permit);
            let folder = self.find(&reader, &from).await?;
            let (deepest, missing) = reader.deepest_folder(&to).await.map_err(error::from_db)?;
            if missing == 0 {
                return Err(Error::new(
                    ErrorKind::NameTaken,
                    format!("There is a folder at {to}."),
                ));
            }
            self.refuse_file_in_way(&reader, &deepest, &to).await?;
            let reach = reader.folder_reach(folder.id).await;
            let (levels, bytes) = reach.map_err(error::from_db)?;
            if !to.has_room_below(levels, bytes) {
                let detail = "What is in the folder would lie too deep, or its paths be too long.";
                return Err(Error::new(ErrorKind::InvalidPath, detail));
            }
            let mut change = self.core.store.change(&permit);
            let way = Way {
                deepest,
                missing: missing - 1,
                path: &parent,
            };
            let parent_id = self
                .core
                .make_folders(caller, &mut change, way, &known)
                .await?
                .id;
            change.move_folder(folder.id, parent_id, &new_name);
            let note = Note::record("folders.update")
                .at(&to)
                .with(serde_json::json!({ "from": from.to_string() }));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => {
                    return Ok(Folder {
                        parent: Some(parent_id),
                        path: to,
                        ..folder
                    });
                }
                Err(DbError::Conflict(conflict::PLACE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(busy())
    }

    /// Removes a folder. Its files go to the trash.
    pub async fn delete(
        &self,
        caller: &Caller,
        path: FolderPath,
        recursive: Recursive,
    ) -> Result<()> {
        let permit = self
            .enter(caller, "folders.delete", Action::FolderDelete, &path)
            .await?;
        if path.is_root() {
            return Err(Error::new(
                ErrorKind::StateConflict,
                "The root cannot be deleted.",
            ));
        }
        for _ in 0..RACES_MAX {
            let reader = self.core.store.reader(&permit);
            let folder = self.find(&reader, &path).await?;
            let (below, files) = tree(&reader, folder.id).await?;
            if recursive == Recursive::No && (below.len() > 1 || !files.is_empty()) {
                let detail =
                    "The folder is not empty; send recursive=true to delete what is in it.";
                return Err(Error::new(ErrorKind::FolderNotEmpty, detail));
            }
            if below.len() + files.len() > TREE_MAX as usize {
                let detail = format!(
                    "The folder holds more than {TREE_MAX} things; delete it piece by piece."
                );
                return Err(Error::new(ErrorKind::FolderNotEmpty, detail));
            }
            let mut change = self.core.store.change(&permit);
            for file in &files {
                self.core
                    .trash_with_folder(&mut change, caller, &permit, file);
            }
            for id in below {
                change.delete_folder(id, self.core.clock.now());
            }
            change.journal(&self.core.permitted(
                caller,
                &permit,
                Note::record("folders.delete").at(&path),
            ));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::PLACE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(busy())
    }

    async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        path: &FolderPath,
    ) -> Result<Permit> {
        let resource = Resource::Folder { path: path.clone() };
        self.core
            .enter(
                caller,
                Ask {
                    operation,
                    action,
                    resource: &resource,
                    what: "folder",
                },
            )
            .await
    }

    async fn find(&self, reader: &Reader, path: &FolderPath) -> Result<Folder> {
        let found = reader.folder_at(path).await.map_err(error::from_db)?;
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::FolderNotFound,
                format!("There is no folder {path}."),
            )
        })
    }

    /// A file stands where a folder is wanted.
    async fn refuse_file_in_way(
        &self,
        reader: &Reader,
        deepest: &Folder,
        path: &FolderPath,
    ) -> Result<()> {
        let Some(next) = path.names().get(deepest.path.names().len()) else {
            return Ok(());
        };
        match reader
            .file_at(deepest.id, &deepest.path, next)
            .await
            .map_err(error::from_db)?
        {
            Some(file) => Err(Error::new(
                ErrorKind::FileExists,
                format!("There is a file at {}.", file.path),
            )),
            None => Ok(()),
        }
    }
}

/// The way to a folder: how far it exists, and how many names are missing.
pub(crate) struct Way<'a> {
    pub(crate) deepest: Folder,
    pub(crate) missing: usize,
    pub(crate) path: &'a FolderPath,
}

impl Core {
    /// Adds the folders that are missing on the way to `path`; the last of them. Needs the right to make folders.
    pub(crate) async fn make_folders(
        &self,
        caller: &Caller,
        change: &mut Change,
        way: Way<'_>,
        known: &Known,
    ) -> Result<Folder> {
        let mut last = way.deepest;
        let from = way.path.names().len() - way.missing;
        for name in way.path.names().iter().skip(from) {
            known.tenant.settings.name_rule.admit(name)?;
            let place = last.path.child(name.clone())?;
            let resource = Resource::Folder {
                path: place.clone(),
            };
            let ask = Ask {
                operation: "folders.create",
                action: Action::FolderWrite,
                resource: &resource,
                what: "folder",
            };
            self.enter(caller, ask).await?;
            let now = self.clock.now();
            let folder = Folder {
                id: FolderId::new(now, &*self.chance),
                parent: Some(last.id),
                path: place,
                created_at: now,
            };
            change.insert_folder(&folder);
            last = folder;
        }
        Ok(last)
    }
}

/// A folder with all folders below it, deepest first, and their files. Stops looking past [`TREE_MAX`] things.
async fn tree(reader: &Reader, id: FolderId) -> Result<(Vec<FolderId>, Vec<File>)> {
    let below = reader.folders_below(id, TREE_MAX + 1).await;
    let below = below.map_err(error::from_db)?;
    let mut files = Vec::new();
    for id in &below {
        let left = (TREE_MAX + 1).saturating_sub((below.len() + files.len()) as u32);
        if left == 0 {
            break;
        }
        let place = reader.folder_path(*id).await.map_err(error::from_db)?;
        let found = reader.files_in(*id, &place, "", left).await;
        files.extend(found.map_err(error::from_db)?);
    }
    Ok((below, files))
}

fn name(folder: &Folder) -> String {
    folder.name().map(ToString::to_string).unwrap_or_default()
}

fn busy() -> Error {
    Error::new(
        ErrorKind::StateConflict,
        "Too many others change this folder at the moment.",
    )
}
