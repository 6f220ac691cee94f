//! Uploads by parts: parallel, in any order, resumable, verified.

mod complete;
mod hashing;
mod parts;

use std::collections::BTreeMap;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Error, ErrorKind, FilePath, Page, PageRequest, Part, Result, TenantId, Upload, UploadId,
    UploadState, limit,
};
use bailee_store::{DbError, Progress, conflict};
use bailee_vault::DataKey;

use crate::files::{Files, too_large};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::keyring::Known;
use crate::{Core, checks, error};

pub(crate) use hashing::Hashing;
pub use parts::NewPart;

/// The uploads of the caller's tenant.
pub struct Uploads<'a> {
    pub(crate) core: &'a Core,
}

/// An upload to be opened.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Where the file goes.
    pub path: FilePath,
    /// Declared size.
    pub size_bytes: Option<u64>,
    /// What the client plans with.
    pub part_size: Option<u64>,
    /// Whether a file at the path is replaced.
    pub overwrite: bool,
    /// Declared media type.
    pub content_type: Option<String>,
    /// Declared SHA-256 in hex.
    pub hash: Option<String>,
    /// Labels for the file.
    pub tags: Vec<String>,
    /// Custom entries for the file.
    pub metadata: BTreeMap<String, String>,
}

/// An upload and the parts it holds.
#[derive(Clone, Debug)]
pub struct UploadView {
    /// The upload.
    pub upload: Upload,
    /// Its parts, by number.
    pub parts: Vec<Part>,
}

/// An upload and what it holds, in short.
#[derive(Clone, Debug)]
pub struct HeldUpload {
    /// The upload.
    pub upload: Upload,
    /// The numbers of its parts.
    pub numbers: Vec<u32>,
    /// Their bytes.
    pub bytes: u64,
}

struct OpenUpload {
    permit: Permit,
    upload: Upload,
    key: DataKey,
    progress: Progress,
    known: std::sync::Arc<Known>,
}

impl Uploads<'_> {
    /// Opens an upload.
    pub async fn create(&self, caller: &Caller, new: NewUpload) -> Result<UploadView> {
        if let Some(upload) = earlier(caller)? {
            let parts = Vec::new();
            return Ok(UploadView { upload, parts });
        }
        let files = Files { core: self.core };
        let permit = files
            .admit(caller, "uploads.create", Some(new.path.folder()))
            .await?;
        let known = self.core.tenant(permit.tenant()).await?;
        let names = new.path.folder().names().iter().chain([new.path.name()]);
        names
            .into_iter()
            .try_for_each(|name| known.tenant.settings.name_rule.admit(name))?;
        if new.size_bytes.unwrap_or(0) > self.core.settings.file_bytes_max {
            return Err(too_large(self.core.settings.file_bytes_max));
        }
        let part_size = part_size(new.part_size)?;
        let reader = self.core.store.reader(&permit);
        if reader.count_open_uploads().await.map_err(error::from_db)? >= limit::OPEN_UPLOADS_MAX {
            return Err(Error::new(
                ErrorKind::QuotaExceeded,
                "The tenant has too many open uploads.",
            ));
        }
        checks::metadata(&new.metadata)?;
        new.content_type
            .as_deref()
            .map_or(Ok(()), checks::content_type)?;
        let now = self.core.clock.now();
        let upload = Upload {
            id: UploadId::new(now, &*self.core.chance),
            path: new.path,
            size_bytes: new.size_bytes,
            part_size,
            overwrite: new.overwrite,
            content_type: new.content_type,
            hash: new
                .hash
                .map(|hash| checks::sha256_hex("#/hash", &hash))
                .transpose()?,
            tags: checks::tags(new.tags)?,
            metadata: new.metadata,
            state: UploadState::Open,
            file: None,
            created_by: caller.principal(),
            created_at: now,
            expires_at: now.plus(limit::UPLOAD_LIFE),
        };
        let key = DataKey::generate(&*self.core.chance);
        let context = key_context(permit.tenant(), upload.id);
        let wrapped = key
            .wrap_with(&known.key, &context, &*self.core.chance)
            .map_err(error::from_key)?;
        let mut change = self.core.store.change(&permit);
        change.insert_upload(&upload, &wrapped);
        made(&mut change, &upload)?;
        let note = Note::record("uploads.create")
            .about(upload.id)
            .at(&upload.path);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        let parts = Vec::new();
        Ok(UploadView { upload, parts })
    }

    /// An upload and what it holds.
    pub async fn get(&self, caller: &Caller, id: UploadId) -> Result<UploadView> {
        let found = self.find(caller, "uploads.get", id).await?;
        let parts = self
            .core
            .store
            .reader(&found.permit)
            .parts(id)
            .await
            .map_err(error::from_db)?;
        Ok(UploadView {
            upload: found.upload,
            parts,
        })
    }

    /// The caller's own open uploads, newest first: those into folders that it may write to.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<HeldUpload>> {
        let files = Files { core: self.core };
        let permit = files.admit(caller, "uploads.list", None).await?;
        let reader = self.core.store.reader(&permit);
        let found = reader
            .open_uploads(Some(caller.principal()), &page)
            .await
            .map_err(error::from_db)?;
        let mut shown = Vec::with_capacity(found.data.len());
        for upload in found.data {
            if !self
                .core
                .admits(caller, Action::FileWrite, &resource(&upload))
            {
                continue;
            }
            let parts = reader.parts(upload.id).await.map_err(error::from_db)?;
            shown.push(HeldUpload {
                upload,
                numbers: parts.iter().map(|part| part.number).collect(),
                bytes: parts.iter().map(|part| part.size_bytes).sum(),
            });
        }
        Ok(Page {
            data: shown,
            next: found.next,
        })
    }

    /// Gives an upload up. Its parts are reclaimed.
    pub async fn abort(&self, caller: &Caller, id: UploadId) -> Result<()> {
        let found = self.find(caller, "uploads.abort", id).await?;
        still_open(&found.upload)?;
        let entry = self.core.permitted(
            caller,
            &found.permit,
            Note::record("uploads.abort").about(id),
        );
        self.core
            .end_upload(
                found.permit.tenant(),
                found.upload,
                UploadState::Aborted,
                &entry,
            )
            .await
    }

    async fn find(
        &self,
        caller: &Caller,
        operation: &'static str,
        id: UploadId,
    ) -> Result<OpenUpload> {
        let facts = self.core.store.facts(caller.tenant());
        let Some((upload, wrapped, progress)) = facts.upload(id).await.map_err(error::from_db)?
        else {
            let nowhere = Resource::Folder {
                path: bailee_model::FolderPath::root(),
            };
            self.core
                .refuse_without_scope(caller, operation, Action::FileWrite, &nowhere)
                .await?;
            return Err(Error::not_found("upload"));
        };
        let resource = resource(&upload);
        let ask = Ask {
            operation,
            action: Action::FileWrite,
            resource: &resource,
            what: "upload",
        };
        let permit = self.core.enter(caller, ask).await?;
        let known = self.core.tenant(permit.tenant()).await?;
        let context = key_context(permit.tenant(), id);
        let key = DataKey::unwrap_with(&wrapped, &known.key, &context).map_err(error::from_key)?;
        Ok(OpenUpload {
            permit,
            upload,
            key,
            progress,
            known,
        })
    }

    async fn find_open(
        &self,
        caller: &Caller,
        operation: &'static str,
        id: UploadId,
    ) -> Result<OpenUpload> {
        let found = self.find(caller, operation, id).await?;
        still_open(&found.upload)?;
        if self.core.clock.now() >= found.upload.expires_at {
            return Err(expired());
        }
        Ok(found)
    }
}

impl Core {
    /// Ends an open upload without a file: aborted by its sender, or expired unless a part has come since it was read.
    /// What its parts were counted for is given back.
    pub(crate) async fn end_upload(
        &self,
        tenant: TenantId,
        upload: Upload,
        state: UploadState,
        entry: &bailee_model::Entry,
    ) -> Result<()> {
        let ended = Upload { state, ..upload };
        let mut change = self.store.queue().change(tenant);
        // From the first statement on no part comes; what there is by then is counted and found by the next ones.
        if state == UploadState::Expired {
            change.expire_upload(&ended);
        } else {
            change.abort_upload(&ended);
        }
        change.discard_parts(ended.id, self.clock.now().plus(limit::BLOB_GRACE));
        change.journal(entry).give_back_upload(ended.id);
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::UPLOAD_OPEN) => Error::new(
                ErrorKind::StateConflict,
                "The upload has ended in the meantime.",
            ),
            other => error::from_db(other),
        })
    }
}

/// What a client plans its parts with.
fn part_size(wanted: Option<u64>) -> Result<u64> {
    let part_size = wanted.unwrap_or(limit::PART_SIZE_DEFAULT);
    if (limit::PART_SIZE_MIN..=limit::PART_BYTES_MAX).contains(&part_size) {
        return Ok(part_size);
    }
    let detail = format!(
        "Must be {} to {} bytes.",
        limit::PART_SIZE_MIN,
        limit::PART_BYTES_MAX
    );
    Err(Error::field("#/part_size", "out_of_range", detail))
}

/// The gate's view of an upload.
fn resource(upload: &Upload) -> Resource {
    Resource::File {
        path: upload.path.clone(),
        classification: None,
        owner: Some(upload.created_by),
    }
}

/// The context under which an upload's data_key is wrapped until its file has an id.
fn key_context(tenant: TenantId, upload: UploadId) -> String {
    format!("{tenant}/{upload}")
}

fn permit_tenant(found: &OpenUpload) -> TenantId {
    found.permit.tenant()
}

fn still_open(upload: &Upload) -> Result<()> {
    match upload.state {
        UploadState::Open => Ok(()),
        UploadState::Expired => Err(expired()),
        UploadState::Completed | UploadState::Aborted => Err(Error::new(
            ErrorKind::StateConflict,
            "The upload has ended.",
        )),
    }
}

fn expired() -> Error {
    Error::new(
        ErrorKind::UploadExpired,
        "The upload's time ran out; begin a new one.",
    )
}
