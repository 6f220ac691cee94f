use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{Error, ErrorKind, EventType, File, FileId, FilePath, FileState, Result};
use bailee_store::{Change, DbError, conflict};

use super::place::{Content, Version};
use super::{
    CopyFile, FileChange, FileRef, Files, NewFile, Placed, Precondition, RACES_MAX, RestoreFile,
    living,
};
use crate::folders::Way;
use crate::gate::Ask;
use crate::idempotency::earlier;
use crate::journal::Note;
use crate::{checks, error};

impl Files<'_> {
    /// Renames, moves, tags, classifies. The `file_id` and the bytes stay.
    pub async fn update(
        &self,
        caller: &Caller,
        id: FileId,
        change: FileChange,
        precondition: Precondition,
    ) -> Result<File> {
        for _ in 0..RACES_MAX {
            let (permit, file) = self
                .enter(caller, "files.update", Action::FileWrite, &FileRef::Id(id))
                .await?;
            living(&file)?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&file.hash), &known.tenant)?;
            let mut new = described(&file, &change)?;
            let mut rows = self.core.store.change(&permit);
            if let Some(path) = change.path.clone().filter(|path| *path != file.path) {
                let moving = (caller, &permit);
                self.relocate(moving, &mut rows, &mut new, path).await?;
            }
            if new.folder == file.folder {
                rows.put_file(&new);
            } else {
                rows.move_file(&new);
            }
            let note = Note::record("files.update")
                .about(file.id)
                .at(&new.path)
                .with(serde_json::json!({
                    "file_id": file.id, "from": file.path.to_string(), "to": new.path.to_string(),
                }));
            rows.journal(&self.core.permitted(caller, &permit, note));
            match rows.commit().await {
                Ok(()) => {
                    return Ok(File {
                        revision: new.revision + 1,
                        ..new
                    });
                }
                Err(DbError::Conflict(conflict::PLACE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(Error::new(
            ErrorKind::StateConflict,
            "Too many others change this file at the moment.",
        ))
    }

    /// Makes another file of the same bytes. No byte is copied.
    pub async fn copy(&self, caller: &Caller, id: FileId, copy: CopyFile) -> Result<Placed> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let (permit, file) = self
            .enter(caller, "files.copy", Action::FileRead, &FileRef::Id(id))
            .await?;
        living(&file)?;
        self.duplicate(caller, &permit, &file, (copy, "files.copy"))
            .await
    }

    /// Makes a version current again, as a new version at its path or at another: the way out of the trash, and back in
    /// time.
    pub async fn restore(
        &self,
        caller: &Caller,
        id: FileId,
        restore: RestoreFile,
    ) -> Result<Placed> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let (permit, file) = self
            .enter(caller, "files.restore", Action::FileRead, &FileRef::Id(id))
            .await?;
        let copy = CopyFile {
            path: restore.path.unwrap_or_else(|| file.path.clone()),
            overwrite: restore.overwrite,
        };
        if file.is_current && copy.path == file.path {
            return Err(Error::new(
                ErrorKind::StateConflict,
                "This version is the current one.",
            ));
        }
        self.duplicate(caller, &permit, &file, (copy, "files.restore"))
            .await
    }

    async fn duplicate(
        &self,
        caller: &Caller,
        permit: &Permit,
        file: &File,
        (copy, operation): (CopyFile, &'static str),
    ) -> Result<Placed> {
        let version = Version {
            id: FileId::new(self.core.clock.now(), &*self.core.chance),
            data_key: self.data_key(permit, file).await?,
            content: Content::Copy(file.id),
            size_bytes: file.size_bytes,
            hash: file.hash.clone(),
            detected_type: file.detected_type.clone(),
            event: EventType::FileUploaded,
        };
        let new = NewFile {
            path: copy.path,
            overwrite: copy.overwrite,
            content_type: Some(file.content_type.clone()),
            hash: None,
            size_bytes: None,
            tags: file.tags.clone(),
            metadata: file.metadata.clone(),
            classification: file.classification,
            operation,
        };
        self.place_version(caller, &version, &new, &Precondition::Unasked)
            .await
    }

    /// Gives a file another place; what stands there already is never replaced.
    async fn relocate(
        &self,
        (caller, permit): (&Caller, &Permit),
        rows: &mut Change,
        file: &mut File,
        path: FilePath,
    ) -> Result<()> {
        if !file.is_current {
            let detail = "Only the current version of a path can move.";
            return Err(Error::new(ErrorKind::StateConflict, detail));
        }
        self.admit_move(caller, file, &path).await?;
        let known = self.core.tenant(permit.tenant()).await?;
        known.tenant.settings.name_rule.admit(path.name())?;
        let reader = self.core.store.reader(permit);
        let found = reader.deepest_folder(path.folder()).await;
        let (deepest, missing) = found.map_err(error::from_db)?;
        let taken = || {
            Error::new(
                ErrorKind::FileExists,
                format!("There is something at {path}."),
            )
        };
        let mut last_version = 0;
        if missing == 0 {
            let name = path.name();
            let occupant = reader.occupant(deepest.id, path.folder(), name).await;
            let (old, version) = occupant.map_err(error::from_db)?;
            let below = path.folder().child(name.clone())?;
            let folder = reader.folder_at(&below).await.map_err(error::from_db)?;
            if folder.is_some() || old.is_some() {
                return Err(taken());
            }
            last_version = version;
        }
        let way = Way {
            deepest,
            missing,
            path: path.folder(),
        };
        let folder = self.core.make_folders(caller, rows, way, &known).await?;
        file.folder = folder.id;
        file.version = last_version + 1;
        file.path = path;
        Ok(())
    }

    /// A move takes a file from one place and puts it at another: both are asked for.
    async fn admit_move(&self, caller: &Caller, file: &File, to: &FilePath) -> Result<()> {
        let to = Resource::File {
            path: to.clone(),
            classification: file.classification,
            owner: Some(file.created_by),
        };
        let ask = Ask {
            operation: "files.update",
            action: Action::FileWrite,
            resource: &to,
            what: "folder",
        };
        self.core.enter(caller, ask).await.map(drop)
    }
}

/// The file with its new description.
fn described(file: &File, change: &FileChange) -> Result<File> {
    let mut new = File {
        state: FileState::Available,
        ..file.clone()
    };
    if let Some(tags) = &change.tags {
        new.tags = checks::tags(tags.clone())?;
    }
    if let Some(entries) = &change.metadata {
        for (key, value) in entries {
            match value {
                Some(value) => new.metadata.insert(key.clone(), value.clone()),
                None => new.metadata.remove(key),
            };
        }
        checks::metadata(&new.metadata)?;
    }
    if let Some(classification) = change.classification {
        new.classification = classification;
    }
    Ok(new)
}
