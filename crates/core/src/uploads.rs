//! Uploads by parts: parallel, in any order, resumable, verified.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Error, ErrorKind, EventType, FileId, FilePath, Page, PageRequest, Part, Result, TenantId,
    Upload, UploadId, UploadState, limit,
};
use bailee_store::{DbError, HashedPrefix, conflict};
use bailee_vault::{DataKey, PrefixHasher};
use bytes::Bytes;
use futures::StreamExt;

use crate::bytes::{ByteStream, Sealed, exactly, is_stored};
use crate::files::{
    Content, Files, NewFile, Placed, Precondition, RACES_MAX, Version, digest_mismatch, over_quota,
    too_large,
};
use crate::gate::Ask;
use crate::journal::Note;
use crate::keyring::Known;
use crate::{Core, checks, error};

/// Uploads whose whole-file hash is being caught up on this node: one task each.
#[derive(Default)]
pub(crate) struct Hashing(Mutex<HashSet<UploadId>>);

impl Hashing {
    fn begin(&self, id: UploadId) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id)
    }

    fn end(&self, id: UploadId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }
}

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

/// A part to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewPart {
    /// Of which upload.
    pub upload: UploadId,
    /// From 0.
    pub number: u32,
    /// Declared SHA-256; other bytes are refused.
    pub digest: Option<[u8; 32]>,
    /// Declared size; another is refused.
    pub size_bytes: Option<u64>,
}

struct OpenUpload {
    permit: Permit,
    upload: Upload,
    key: DataKey,
    prefix: HashedPrefix,
    known: std::sync::Arc<Known>,
}

impl Uploads<'_> {
    /// Opens an upload.
    pub async fn create(&self, caller: &Caller, new: NewUpload) -> Result<UploadView> {
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
        let part_size = new.part_size.unwrap_or(limit::PART_SIZE_DEFAULT);
        if !(limit::PART_SIZE_MIN..=limit::PART_BYTES_MAX).contains(&part_size) {
            let detail = format!(
                "Must be {} to {} bytes.",
                limit::PART_SIZE_MIN,
                limit::PART_BYTES_MAX
            );
            return Err(Error::field("#/part_size", "out_of_range", detail));
        }
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
        let note = Note::record("uploads.create")
            .about(upload.id)
            .at(&upload.path);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        Ok(UploadView {
            upload,
            parts: Vec::new(),
        })
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

    /// The caller's own open uploads, newest first.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Upload>> {
        let files = Files { core: self.core };
        let permit = files.admit(caller, "uploads.list", None).await?;
        let reader = self.core.store.reader(&permit);
        reader
            .open_uploads(Some(caller.principal()), &page)
            .await
            .map_err(error::from_db)
    }

    /// Stores a part; one that is held already is replaced. Returns when it is durable.
    pub async fn put_part(
        &self,
        caller: &Caller,
        new: NewPart,
        stream: ByteStream,
    ) -> Result<Part> {
        let found = self
            .find_open(caller, "uploads.put_part", new.upload)
            .await?;
        if new.number >= limit::PARTS_MAX {
            let detail = format!("Parts are numbered 0 to {}.", limit::PARTS_MAX - 1);
            return Err(Error::field("#/part_number", "out_of_range", detail));
        }
        if new
            .size_bytes
            .is_some_and(|size| size > limit::PART_BYTES_MAX)
        {
            return Err(part_too_large());
        }
        let stream = bounded(exactly(stream, new.size_bytes));
        let (sealed, hashed) = self.seal_part(&found, &new, stream).await?;
        if sealed.size_bytes == 0 {
            return Err(Error::new(
                ErrorKind::SizeMismatch,
                "A part has at least one byte.",
            ));
        }
        if new.size_bytes.is_some_and(|size| size != sealed.size_bytes) {
            return Err(Error::new(
                ErrorKind::MalformedRequest,
                "The body ended before its declared length.",
            ));
        }
        if new.digest.is_some_and(|digest| digest != sealed.sha256) {
            return Err(digest_mismatch(&hex::encode(sealed.sha256)));
        }
        let part = self.commit_part(&found, &new, sealed, hashed).await?;
        self.catch_up_later(permit_tenant(&found), new.upload);
        Ok(part)
    }

    /// Joins the parts in order of number, verifies, places. Repeating it gives the same answer.
    pub async fn complete(
        &self,
        caller: &Caller,
        id: UploadId,
        hash: Option<String>,
    ) -> Result<Placed> {
        let found = self.find(caller, "uploads.complete", id).await?;
        let files = Files { core: self.core };
        if let (UploadState::Completed, Some(file)) = (found.upload.state, found.upload.file) {
            let file = self
                .core
                .store
                .reader(&found.permit)
                .file(file)
                .await
                .map_err(error::from_db)?;
            let file = file.ok_or_else(|| Error::not_found("file"))?;
            return Ok(Placed {
                file,
                replaced: false,
            });
        }
        still_open(&found.upload)?;
        let parts = self
            .core
            .store
            .reader(&found.permit)
            .parts(id)
            .await
            .map_err(error::from_db)?;
        let size_bytes = check_parts(&parts, &found.upload)?;
        let (sha256, prefix) = self.hash_whole(&found, &parts).await?;
        let whole = hex::encode(sha256);
        let declared = hash
            .map(|hash| checks::sha256_hex("#/hash", &hash))
            .transpose()?;
        if [&declared, &found.upload.hash]
            .into_iter()
            .flatten()
            .any(|declared| *declared != whole)
        {
            return Err(digest_mismatch(&whole));
        }
        tracing::debug!(upload.id = %id, parts = prefix, "upload hashed");
        let detected_type = self.detect(&found, parts.first()).await?;
        let upload = found.upload;
        let version = Version {
            id: FileId::new(self.core.clock.now(), &*self.core.chance),
            data_key: found.key,
            content: Content::Parts(Box::new(upload.clone())),
            size_bytes,
            hash: whole,
            detected_type,
            event: EventType::FileUploaded,
        };
        let new = NewFile {
            path: upload.path.clone(),
            overwrite: upload.overwrite,
            content_type: upload.content_type.clone(),
            hash: None,
            size_bytes: None,
            tags: upload.tags.clone(),
            metadata: upload.metadata.clone(),
            classification: None,
            operation: "uploads.complete",
        };
        files
            .place_version(caller, &version, &new, &Precondition::None)
            .await
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
        let Some((upload, wrapped, prefix)) = facts.upload(id).await.map_err(error::from_db)?
        else {
            let nowhere = Resource::Folder {
                path: bailee_model::FolderPath::root(),
            };
            self.core
                .refuse_without_scope(caller, operation, Action::FileWrite, &nowhere)
                .await?;
            return Err(Error::not_found("upload"));
        };
        let resource = Resource::File {
            path: upload.path.clone(),
            classification: None,
            owner: Some(upload.created_by),
        };
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
            prefix,
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

    /// Seals a part and, when it is the next of the contiguous prefix, moves the whole-file hash along with it.
    async fn seal_part(
        &self,
        found: &OpenUpload,
        new: &NewPart,
        stream: ByteStream,
    ) -> Result<(Sealed, Option<HashedPrefix>)> {
        if new.number != found.prefix.parts {
            return Ok((
                self.core.seal(&found.permit, &found.key, stream).await?,
                None,
            ));
        }
        let hasher = Core::restore_hasher(&found.known, new.upload, &found.prefix)?;
        let hasher = std::sync::Arc::new(Mutex::new(hasher));
        let tapped = std::sync::Arc::clone(&hasher);
        let stream = stream.map(move |chunk: Result<Bytes>| {
            if let Ok(chunk) = &chunk {
                tapped
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .update(chunk);
            }
            chunk
        });
        let sealed = self
            .core
            .seal(&found.permit, &found.key, stream.boxed())
            .await?;
        let hasher = hasher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let prefix = self
            .core
            .save_hasher(&found.known, new.upload, new.number + 1, &hasher)?;
        Ok((sealed, Some(prefix)))
    }

    async fn commit_part(
        &self,
        found: &OpenUpload,
        new: &NewPart,
        sealed: Sealed,
        mut hashed: Option<HashedPrefix>,
    ) -> Result<Part> {
        let extent = sealed
            .extent
            .ok_or_else(|| Error::internal("a part without content"))?;
        let part = Part {
            number: new.number,
            blob: extent.blob,
            size_bytes: sealed.size_bytes,
            hash: hex::encode(sealed.sha256),
        };
        for _ in 0..RACES_MAX {
            let now = self.core.clock.now();
            let old = self
                .core
                .store
                .reader(&found.permit)
                .part(new.upload, new.number)
                .await;
            let old = old.map_err(error::from_db)?;
            let mut change = self.core.store.change(&found.permit);
            change.extend_upload(&Upload {
                expires_at: now.plus(limit::UPLOAD_LIFE),
                ..found.upload.clone()
            });
            change.insert_blob(&extent);
            if is_stored(&extent) {
                change.consume_reservation(extent.blob);
            }
            let mut added = i64::try_from(part.size_bytes).unwrap_or(i64::MAX);
            if let Some(old) = &old {
                change.replace_part(new.upload, &part, old.blob);
                change
                    .discard_blob(old.blob, now.plus(limit::BLOB_GRACE))
                    .forget_hash(new.upload, new.number);
                added -= i64::try_from(old.size_bytes).unwrap_or(0);
            } else {
                change.insert_part(new.upload, &part);
                if let Some(prefix) = &hashed {
                    change.advance_hash(new.upload, new.number, prefix);
                }
            }
            change.add_usage(added, 0, &found.known.tenant);
            match change.commit().await {
                Ok(()) => return Ok(part),
                // Somebody sent the same part, or moved the hash on: the next try looks again, without the hash.
                Err(DbError::Conflict(conflict::PART_RACE)) => hashed = None,
                Err(DbError::Conflict(conflict::QUOTA)) => return Err(over_quota()),
                Err(DbError::Conflict(conflict::UPLOAD_OPEN)) => {
                    return Err(Error::new(
                        ErrorKind::StateConflict,
                        "The upload has ended in the meantime.",
                    ));
                }
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(Error::new(
            ErrorKind::StateConflict,
            "Others send the same part at the moment.",
        ))
    }

    /// The whole-file hash: parts that came in order are in it already, the others are read back.
    async fn hash_whole(&self, found: &OpenUpload, parts: &[Part]) -> Result<([u8; 32], u32)> {
        let reader = self.core.store.reader(&found.permit);
        let fresh = reader
            .upload(found.upload.id)
            .await
            .map_err(error::from_db)?;
        let prefix = fresh.map_or(found.prefix.clone(), |(_, _, prefix)| prefix);
        let mut hasher = Core::restore_hasher(&found.known, found.upload.id, &prefix)?;
        for part in parts.iter().filter(|part| part.number >= prefix.parts) {
            self.core
                .hash_part(found.permit.tenant(), &found.key, part, &mut hasher)
                .await?;
        }
        Ok((hasher.finish(), prefix.parts))
    }

    /// What the first bytes look like.
    async fn detect(&self, found: &OpenUpload, first: Option<&Part>) -> Result<Option<String>> {
        let Some(first) = first else { return Ok(None) };
        let extent = self
            .core
            .store
            .reader(&found.permit)
            .part_extent(first.blob)
            .await
            .map_err(error::from_db)?;
        let Some(extent) = extent else {
            return Ok(None);
        };
        let end = extent.size_bytes.min(bailee_vault::SNIFF_BYTES as u64);
        let mut stream = self
            .core
            .unseal(found.permit.tenant(), &found.key, vec![extent], 0..end);
        let head = stream.next().await.transpose()?.unwrap_or_default();
        Ok(bailee_vault::detect(&head).map(str::to_owned))
    }

    /// Reads back, off the request, what came early and is contiguous by now.
    fn catch_up_later(&self, tenant: TenantId, id: UploadId) {
        if !self.core.hashing.begin(id) {
            return;
        }
        let core = self.core.clone();
        tokio::spawn(async move {
            if let Err(error) = core.catch_up(tenant, id).await {
                // Completion will do it; nothing is lost but time.
                tracing::debug!(upload.id = %id, error = %error, "the hash could not be caught up");
            }
            core.hashing.end(id);
        });
    }
}

impl Core {
    fn restore_hasher(known: &Known, id: UploadId, prefix: &HashedPrefix) -> Result<PrefixHasher> {
        if prefix.parts == 0 {
            return Ok(PrefixHasher::new());
        }
        // The state holds up to 63 bytes of content, so it rests sealed like everything else.
        let state = known
            .key
            .open_secret(&prefix.state, &id.to_string())
            .map_err(error::from_key)?;
        PrefixHasher::restore(&state).map_err(Error::internal)
    }

    fn save_hasher(
        &self,
        known: &Known,
        id: UploadId,
        parts: u32,
        hasher: &PrefixHasher,
    ) -> Result<HashedPrefix> {
        let state = known
            .key
            .seal_secret(&hasher.save(), &id.to_string(), &*self.chance)
            .map_err(error::from_key)?;
        Ok(HashedPrefix { parts, state })
    }

    async fn hash_part(
        &self,
        tenant: TenantId,
        key: &DataKey,
        part: &Part,
        hasher: &mut PrefixHasher,
    ) -> Result<()> {
        let extent = self
            .store
            .queue()
            .reader(tenant)
            .part_extent(part.blob)
            .await
            .map_err(error::from_db)?;
        let extent = extent.ok_or_else(|| Error::internal("a part lost its blob"))?;
        let mut stream = self.unseal(tenant, key, vec![extent], 0..part.size_bytes);
        while let Some(chunk) = stream.next().await {
            hasher.update(&chunk?);
        }
        Ok(())
    }

    async fn catch_up(&self, tenant: TenantId, id: UploadId) -> Result<()> {
        let queue = self.store.queue();
        let known = self.tenant(tenant).await?;
        loop {
            let reader = queue.reader(tenant);
            let Some((upload, wrapped, prefix)) =
                reader.upload(id).await.map_err(error::from_db)?
            else {
                return Ok(());
            };
            if upload.state != UploadState::Open {
                return Ok(());
            }
            let Some(part) = reader
                .part(id, prefix.parts)
                .await
                .map_err(error::from_db)?
            else {
                return Ok(());
            };
            let key = DataKey::unwrap_with(&wrapped, &known.key, &key_context(tenant, id))
                .map_err(error::from_key)?;
            let mut hasher = Self::restore_hasher(&known, id, &prefix)?;
            self.hash_part(tenant, &key, &part, &mut hasher).await?;
            let next = self.save_hasher(&known, id, prefix.parts + 1, &hasher)?;
            let mut change = queue.change(tenant);
            // The part must still be the one that was read.
            change
                .replace_part(id, &part, part.blob)
                .advance_hash(id, prefix.parts, &next);
            match change.commit().await {
                Ok(()) => {}
                Err(DbError::Conflict(conflict::PART_RACE)) => return Ok(()),
                Err(error) => return Err(error::from_db(error)),
            }
        }
    }

    /// Ends an open upload without a file: aborted by its sender or expired.
    pub(crate) async fn end_upload(
        &self,
        tenant: TenantId,
        upload: Upload,
        state: UploadState,
        entry: &bailee_model::Entry,
    ) -> Result<()> {
        let known = self.tenant(tenant).await?;
        let queue = self.store.queue();
        for _ in 0..RACES_MAX {
            let parts = queue
                .reader(tenant)
                .parts(upload.id)
                .await
                .map_err(error::from_db)?;
            let bytes: u64 = parts.iter().map(|part| part.size_bytes).sum();
            let mut change = queue.change(tenant);
            for part in &parts {
                // Each must still be the one that was counted.
                change.replace_part(upload.id, part, part.blob);
            }
            change.end_upload(&Upload {
                state,
                ..upload.clone()
            });
            change.discard_parts(upload.id, self.clock.now().plus(limit::BLOB_GRACE));
            change.journal(entry).add_usage(
                -i64::try_from(bytes).unwrap_or(i64::MAX),
                0,
                &known.tenant,
            );
            match change.commit().await {
                Err(DbError::Conflict(conflict::PART_RACE)) => {}
                Err(DbError::Conflict(conflict::UPLOAD_OPEN)) => {
                    return Err(Error::new(
                        ErrorKind::StateConflict,
                        "The upload has ended in the meantime.",
                    ));
                }
                other => return other.map_err(error::from_db),
            }
        }
        Err(Error::new(
            ErrorKind::StateConflict,
            "Parts of this upload keep coming.",
        ))
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

fn part_too_large() -> Error {
    Error::new(
        ErrorKind::PartTooLarge,
        format!("A part may have at most {} bytes.", limit::PART_BYTES_MAX),
    )
}

/// Ends a stream past the largest part.
fn bounded(stream: ByteStream) -> ByteStream {
    let counted = stream.scan(0_u64, |seen, chunk| {
        let chunk = chunk.and_then(|chunk| {
            *seen += chunk.len() as u64;
            if *seen > limit::PART_BYTES_MAX {
                Err(part_too_large())
            } else {
                Ok(chunk)
            }
        });
        futures::future::ready(Some(chunk))
    });
    counted.boxed()
}

/// Whether the parts are there without a gap and add up to what was declared; their sum.
fn check_parts(parts: &[Part], upload: &Upload) -> Result<u64> {
    let end = parts.last().map_or(0, |part| part.number + 1);
    let held: HashSet<u32> = parts.iter().map(|part| part.number).collect();
    let missing: Vec<u32> = (0..end).filter(|number| !held.contains(number)).collect();
    let size_bytes: u64 = parts.iter().map(|part| part.size_bytes).sum();
    let is_short = upload
        .size_bytes
        .is_some_and(|declared| size_bytes < declared);
    if !missing.is_empty() || is_short {
        // The end is missing too when the declared size is not reached; which parts it has, only the sender knows.
        let mut missing = missing;
        if is_short {
            missing.push(end);
        }
        let detail = format!(
            "Parts are missing, the first is {}.",
            missing.first().copied().unwrap_or(end)
        );
        return Err(Error::new(ErrorKind::PartsMissing, detail).with("missing", missing));
    }
    if upload
        .size_bytes
        .is_some_and(|declared| size_bytes != declared)
    {
        let detail = format!("The parts have {size_bytes} bytes, another size than declared.");
        return Err(Error::new(ErrorKind::SizeMismatch, detail));
    }
    Ok(size_bytes)
}
