use std::collections::HashSet;

use bailee_auth::Caller;
use bailee_model::{
    Error, ErrorKind, EventType, FileId, Part, Result, Upload, UploadId, UploadState,
};
use futures::StreamExt;

use crate::files::{Content, Files, NewFile, Placed, Precondition, Version, digest_mismatch, too_large};
use crate::{Core, checks, error};

use super::{OpenUpload, Uploads, still_open};

impl Uploads<'_> {
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
        if size_bytes > self.core.settings.file_bytes_max {
            return Err(too_large(self.core.settings.file_bytes_max));
        }
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
