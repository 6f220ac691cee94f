use std::collections::HashSet;

use bailee_auth::Caller;
use bailee_model::{
    Error, ErrorKind, EventType, FileId, Part, Result, Upload, UploadId, UploadState,
};
use futures::StreamExt;

use crate::files::{
    Content, Files, NewFile, Placed, Precondition, Version, digest_mismatch, too_large,
};
use crate::idempotency::earlier;
use crate::{Core, checks, error};

use super::{OpenUpload, Uploads, still_open};

/// The operation, for the journal.
const OPERATION: &str = "uploads.complete";
/// How often parts are read that change while they are joined: each time may mean to hash them all.
const TRIES_MAX: u32 = 4;

impl Uploads<'_> {
    /// Joins the parts in order of number, verifies, places. Repeating it gives the same answer, and so does doing it
    /// several times at once.
    pub async fn complete(
        &self,
        caller: &Caller,
        id: UploadId,
        hash: Option<String>,
    ) -> Result<Placed> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let mut found = self.find(caller, OPERATION, id).await?;
        let mut tries = 0;
        loop {
            if let (UploadState::Completed, Some(file)) = (found.upload.state, found.upload.file) {
                return self.completed(&found, file).await;
            }
            still_open(&found.upload)?;
            if tries == TRIES_MAX {
                return Err(Error::new(
                    ErrorKind::StateConflict,
                    "Parts of this upload keep coming.",
                ));
            }
            tries += 1;
            let failed = match self.join(caller, &found, hash.as_deref()).await {
                Ok(placed) => return Ok(placed),
                Err(failed) => failed,
            };
            // What failed was right if the upload is still what was read; otherwise it is judged afresh.
            let now = self.find(caller, OPERATION, id).await?;
            if now.upload.state == UploadState::Open
                && now.progress.revision == found.progress.revision
            {
                return Err(failed);
            }
            found = now;
        }
    }

    /// The answer that completing has given already.
    async fn completed(&self, found: &OpenUpload, file: FileId) -> Result<Placed> {
        let reader = self.core.store.reader(&found.permit);
        let file = reader.file(file).await.map_err(error::from_db)?;
        let file = file.ok_or_else(|| Error::not_found("file"))?;
        Ok(Placed {
            file,
            replaced: false,
        })
    }

    /// One try: what is read of the parts counts only if the upload's revision is still the one in `found`.
    async fn join(
        &self,
        caller: &Caller,
        found: &OpenUpload,
        hash: Option<&str>,
    ) -> Result<Placed> {
        let reader = self.core.store.reader(&found.permit);
        let parts = reader
            .parts(found.upload.id)
            .await
            .map_err(error::from_db)?;
        let size_bytes = check_parts(&parts, &found.upload, self.core.settings.file_bytes_max)?;
        let whole = hex::encode(self.hash_whole(found, &parts).await?);
        let declared = hash
            .map(|hash| checks::sha256_hex("#/hash", hash))
            .transpose()?;
        if [&declared, &found.upload.hash]
            .into_iter()
            .flatten()
            .any(|declared| *declared != whole)
        {
            return Err(digest_mismatch(&whole));
        }
        let detected_type = self.detect(found, parts.first()).await?;
        let upload = &found.upload;
        let version = Version {
            id: FileId::new(self.core.clock.now(), &*self.core.chance),
            data_key: found.key.clone(),
            content: Content::Parts {
                upload: Box::new(upload.clone()),
                revision: found.progress.revision,
            },
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
            operation: OPERATION,
        };
        let files = Files { core: self.core };
        files
            .place_version(caller, &version, &new, &Precondition::Unasked)
            .await
    }

    /// The whole-file hash: parts that came in order are in it already, the others are read back.
    async fn hash_whole(&self, found: &OpenUpload, parts: &[Part]) -> Result<[u8; 32]> {
        // Of the same reading as the revision, so that what is hashed already is of the same parts.
        let prefix = &found.progress.hashed;
        let mut hasher = Core::restore_hasher(&found.known, found.upload.id, prefix)?;
        for part in parts.iter().filter(|part| part.number >= prefix.parts) {
            self.core
                .hash_part(found.permit.tenant(), &found.key, part, &mut hasher)
                .await?;
        }
        tracing::debug!(upload.id = %found.upload.id, parts = prefix.parts, "upload hashed");
        Ok(hasher.finish())
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
}

/// Whether the parts are there without a gap and add up to what was declared and is allowed; their sum.
fn check_parts(parts: &[Part], upload: &Upload, file_bytes_max: u64) -> Result<u64> {
    let end = parts.last().map_or(0, |part| part.number + 1);
    let held: HashSet<u32> = parts.iter().map(|part| part.number).collect();
    let missing: Vec<u32> = (0..end).filter(|number| !held.contains(number)).collect();
    let size_bytes: u64 = parts.iter().map(|part| part.size_bytes).sum();
    if size_bytes > file_bytes_max {
        return Err(too_large(file_bytes_max));
    }
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
