use std::collections::BTreeMap;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Classification, Error, ErrorKind, EventType, File, FileId, FilePath, FileState, FolderId,
    FolderPath, Result,
};
use bailee_store::{Change, DbError, conflict};
use bailee_vault::DataKey;
use serde::{Deserialize, Serialize};

use super::{Files, Precondition, RACES_MAX, file_facts, key_context};
use crate::bytes::{ByteStream, Staged, exactly, is_stored};
use crate::folders::Way;
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::keyring::Known;
use crate::staging::Replaces;
use crate::{checks, error};

use super::rules::{
    admit_place, check_declared, contradicts, declared_type, over_quota, placing_failed, too_large,
};

/// A file to be made from a stream.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Where it goes. Missing folders are made.
    pub path: FilePath,
    /// Whether a file there is replaced.
    pub overwrite: bool,
    /// Declared media type.
    pub content_type: Option<String>,
    /// Declared SHA-256 in hex; another content is refused.
    pub hash: Option<String>,
    /// Declared size; another is refused.
    pub size_bytes: Option<u64>,
    /// Labels.
    pub tags: Vec<String>,
    /// Custom entries.
    pub metadata: BTreeMap<String, String>,
    /// How sensitive it is.
    pub classification: Option<Classification>,
    /// The operation, for the journal.
    pub operation: &'static str,
}

/// A file that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Placed {
    /// The file.
    pub file: File,
    /// Whether it took the place of another.
    pub replaced: bool,
}

/// Where the extents of a new version come from.
pub(crate) enum Content {
    /// A staged stream.
    Staged(Option<bailee_model::Extent>),
    /// The parts of an upload, already counted against the quota.
    Parts {
        /// Which.
        upload: Box<bailee_model::Upload>,
        /// When its parts were read.
        revision: u64,
    },
    /// The extents of another version.
    Copy(FileId),
}

/// A version that is about to get a name.
pub(crate) struct Version {
    pub(crate) id: FileId,
    pub(crate) data_key: DataKey,
    pub(crate) content: Content,
    pub(crate) size_bytes: u64,
    pub(crate) hash: String,
    pub(crate) detected_type: Option<String>,
    pub(crate) event: EventType,
}

/// A version on its way to its name.
struct Placing<'a> {
    caller: &'a Caller,
    permit: &'a Permit,
    known: &'a Known,
    version: &'a Version,
    new: &'a NewFile,
    precondition: &'a Precondition,
}

impl Files<'_> {
    /// Whether the caller may write into `folder`, asked before a body is read. Without a folder, whether it may
    /// write anywhere.
    pub async fn admit(
        &self,
        caller: &Caller,
        operation: &'static str,
        folder: Option<&FolderPath>,
    ) -> Result<Permit> {
        let path = folder
            .or_else(|| caller.path_prefixes().first())
            .cloned()
            .unwrap_or_default();
        let resource = Resource::Folder { path };
        let ask = Ask {
            operation,
            action: Action::FileWrite,
            resource: &resource,
            what: "folder",
        };
        self.core.enter(caller, ask).await
    }

    /// The file that an earlier run of the caller's request made: asked before its body is read again.
    pub fn placed_before(caller: &Caller) -> Result<Option<Placed>> {
        earlier(caller)
    }

    /// Seals a stream before it is known where it goes. Nothing is visible.
    pub async fn stage(
        &self,
        caller: &Caller,
        operation: &'static str,
        stream: ByteStream,
    ) -> Result<Staged> {
        let permit = self.admit(caller, operation, None).await?;
        let stream = self.core.in_place(permit.tenant(), None, stream);
        self.seal_staged(&permit, stream).await
    }

    /// Seals a stream and makes a file of it: admits, stages, places.
    pub async fn put(
        &self,
        caller: &Caller,
        new: NewFile,
        precondition: Precondition,
        stream: ByteStream,
    ) -> Result<Placed> {
        let permit = self
            .admit(caller, new.operation, Some(new.path.folder()))
            .await?;
        self.refuse_early(&permit, &new, &precondition).await?;
        let tenant = permit.tenant();
        let stream = self.core.in_place(tenant, new.size_bytes, stream);
        let staged = self
            .seal_staged(&permit, exactly(stream, new.size_bytes))
            .await?;
        self.place(caller, staged, new, precondition).await
    }

    /// Gives staged content its name.
    pub async fn place(
        &self,
        caller: &Caller,
        staged: Staged,
        new: NewFile,
        precondition: Precondition,
    ) -> Result<Placed> {
        if staged.tenant != caller.tenant() {
            return Err(Error::internal("staged content of another tenant"));
        }
        check_declared(&new, staged.size_bytes, &staged.hash)?;
        let version = Version {
            id: staged.file,
            data_key: staged.data_key,
            content: Content::Staged(staged.extent),
            size_bytes: staged.size_bytes,
            hash: staged.hash,
            detected_type: staged.detected_type.map(str::to_owned),
            event: EventType::FileUploaded,
        };
        let placed = self
            .place_version(caller, &version, &new, &precondition)
            .await?;
        if let Some(reservation) = staged.reservation {
            reservation.keep();
        }
        Ok(placed)
    }

    async fn seal_staged(&self, permit: &Permit, stream: ByteStream) -> Result<Staged> {
        let data_key = DataKey::generate(&*self.core.chance);
        let sealed = self
            .core
            .seal(permit, &data_key, stream, Replaces::Nothing)
            .await?;
        Ok(Staged {
            tenant: permit.tenant(),
            file: FileId::new(self.core.clock.now(), &*self.core.chance),
            data_key,
            extent: sealed.extent,
            reservation: sealed.reservation,
            size_bytes: sealed.size_bytes,
            hash: hex::encode(sealed.sha256),
            detected_type: sealed.detected_type,
        })
    }

    /// Refuses before the body is read what would be refused after it. What is found here may change by then, so
    /// placing asks again.
    async fn refuse_early(
        &self,
        permit: &Permit,
        new: &NewFile,
        precondition: &Precondition,
    ) -> Result<()> {
        let known = self.core.tenant(permit.tenant()).await?;
        let names = new.path.folder().names().iter().chain([new.path.name()]);
        names
            .into_iter()
            .try_for_each(|name| known.tenant.settings.name_rule.admit(name))?;
        let size = new.size_bytes.unwrap_or(0);
        if size > self.core.settings.file_bytes_max {
            return Err(too_large(self.core.settings.file_bytes_max));
        }
        let reader = self.core.store.reader(permit);
        if let Some(quota) = known.tenant.quota_bytes {
            let used = reader.usage().await.map_err(error::from_db)?.bytes;
            if used.saturating_add(size) > quota {
                return Err(over_quota());
            }
        }
        let is_free = matches!(precondition, Precondition::None | Precondition::Unasked);
        if !new.overwrite || !is_free {
            let folder = reader
                .folder_at(new.path.folder())
                .await
                .map_err(error::from_db)?;
            let old = match folder {
                Some(folder) => {
                    let old = reader
                        .file_at(folder.id, new.path.folder(), new.path.name())
                        .await;
                    old.map_err(error::from_db)?
                }
                None => None,
            };
            admit_place(old.as_ref(), new, precondition, &known)?;
        }
        Ok(())
    }

    /// The one placing step of every door: name rule, policy, conflict, version, quota, journal entry.
    pub(crate) async fn place_version(
        &self,
        caller: &Caller,
        version: &Version,
        new: &NewFile,
        precondition: &Precondition,
    ) -> Result<Placed> {
        let resource = Resource::File {
            path: new.path.clone(),
            classification: new.classification,
            owner: None,
        };
        let ask = Ask {
            operation: new.operation,
            action: Action::FileWrite,
            resource: &resource,
            what: "file",
        };
        let permit = self.core.enter(caller, ask).await?;
        let known = self.core.tenant(permit.tenant()).await?;
        let placing = Placing {
            caller,
            permit: &permit,
            known: &known,
            version,
            new,
            precondition,
        };
        for _ in 0..RACES_MAX {
            let (change, placed) = self.prepare(&placing).await?;
            match change.commit().await {
                Ok(()) => return Ok(placed),
                Err(DbError::Conflict(conflict::PLACE)) => {}
                Err(error) => return Err(placing_failed(error)),
            }
        }
        Err(Error::new(
            ErrorKind::StateConflict,
            "Too many others write to this place at the moment.",
        ))
    }

    async fn prepare(&self, placing: &Placing<'_>) -> Result<(Change, Placed)> {
        let Placing {
            caller,
            permit,
            known,
            version,
            new,
            precondition,
        } = *placing;
        let reader = self.core.store.reader(permit);
        let (deepest, missing) = reader
            .deepest_folder(new.path.folder())
            .await
            .map_err(error::from_db)?;
        let way = Way {
            deepest,
            missing,
            path: new.path.folder(),
        };
        let mut change = self.core.store.change(permit);
        let folder = self
            .core
            .make_folders(caller, &mut change, way, known)
            .await?
            .id;
        known.tenant.settings.name_rule.admit(new.path.name())?;
        let (old, last_version) = match missing {
            0 => reader
                .occupant(folder, new.path.folder(), new.path.name())
                .await
                .map_err(error::from_db)?,
            _ => (None, 0),
        };
        admit_place(old.as_ref(), new, precondition, known)?;
        let file = self.version_row(permit, known, version, (new, folder, last_version + 1))?;
        if let Some(old) = &old {
            change.put_file(&File {
                is_current: false,
                ..old.clone()
            });
        }
        change.insert_file(&file);
        add_content(&mut change, version, &file);
        let note = Note::event(new.operation, version.event)
            .about(file.id)
            .at(&file.path)
            .with(file_facts(
                &file,
                serde_json::json!({ "replaced_file_id": old.as_ref().map(|old| old.id) }),
            ));
        change.journal(&self.core.permitted(caller, permit, note));
        let bytes = match version.content {
            Content::Parts { .. } => 0,
            _ => i64::try_from(version.size_bytes).unwrap_or(i64::MAX),
        };
        change.add_usage(bytes, 1, &known.tenant);
        let placed = Placed {
            file,
            replaced: old.is_some(),
        };
        made(&mut change, &placed)?;
        Ok((change, placed))
    }

    fn version_row(
        &self,
        permit: &Permit,
        known: &Known,
        version: &Version,
        (new, folder, number): (&NewFile, FolderId, u32),
    ) -> Result<File> {
        let content_type = declared_type(new)?;
        if known.tenant.settings.refuse_type_mismatch
            && let Some(detected) = &version.detected_type
            && contradicts(&content_type, detected)
        {
            let detail =
                format!("The content looks like {detected}, not like the declared {content_type}.");
            return Err(Error::new(ErrorKind::ContentTypeMismatch, detail));
        }
        let context = key_context(permit.tenant(), version.id);
        let wrapped_key = version
            .data_key
            .wrap_with(&known.key, &context, &*self.core.chance);
        checks::metadata(&new.metadata)?;
        Ok(File {
            id: version.id,
            folder,
            path: new.path.clone(),
            version: number,
            is_current: true,
            state: FileState::Available,
            size_bytes: version.size_bytes,
            hash: version.hash.clone(),
            content_type,
            detected_type: version.detected_type.clone(),
            classification: new.classification,
            tags: checks::tags(new.tags.clone())?,
            metadata: new.metadata.clone(),
            wrapped_key: wrapped_key.map_err(error::from_key)?,
            created_by: permit.principal(),
            created_at: self.core.clock.now(),
            deleted_at: None,
            revision: 1,
        })
    }
}

fn add_content(change: &mut Change, version: &Version, file: &File) {
    match &version.content {
        Content::Staged(None) => {}
        Content::Staged(Some(extent)) => {
            change
                .insert_blob(extent)
                .insert_extent(file.id, 0, extent.blob);
            if is_stored(extent) {
                change.consume_reservation(extent.blob);
            }
        }
        Content::Parts { upload, revision } => {
            let mut ended = (**upload).clone();
            ended.state = bailee_model::UploadState::Completed;
            ended.file = Some(file.id);
            change
                .complete_upload(&ended, *revision)
                .extents_from_parts(upload.id, file.id)
                .drop_parts(upload.id);
        }
        Content::Copy(from) => {
            change.hold_file(*from).copy_extents(*from, file.id);
        }
    }
}
