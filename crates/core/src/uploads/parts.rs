use std::sync::{Mutex, PoisonError};

use bailee_auth::Caller;
use bailee_model::{Error, ErrorKind, Extent, Part, Result, Upload, UploadId, limit};
use bailee_store::{Change, DbError, HashedPrefix, conflict};
use bytes::Bytes;
use futures::StreamExt;

use crate::bytes::{ByteStream, Sealed, exactly, is_stored};
use crate::files::{RACES_MAX, digest_mismatch, over_quota, too_large};
use crate::staging::Replaces;
use crate::{Core, error};

use super::{OpenUpload, Uploads, permit_tenant};

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

impl Uploads<'_> {
    /// Stores a part; one that is held already is replaced. Returns when it is durable.
    pub async fn put_part(
        &self,
        caller: &Caller,
        new: NewPart,
        stream: ByteStream,
    ) -> Result<Part> {
        // Boxed, like what comes after the body: a body that lets us wait should hold only what it needs.
        let finding = self.find_open(caller, "uploads.put_part", new.upload);
        let found = Box::pin(finding).await?;
        if new.number >= limit::PARTS_MAX {
            let detail = format!("Parts are numbered 0 to {}.", limit::PARTS_MAX - 1);
            return Err(Error::field("#/part_number", "out_of_range", detail));
        }
        let file_bytes_max = self.core.settings.file_bytes_max;
        admit_size(new.size_bytes.unwrap_or(0), file_bytes_max)?;
        let tenant = permit_tenant(&found);
        let stream = self.core.in_place(tenant, new.size_bytes, stream);
        let stream = bounded(exactly(stream, new.size_bytes), file_bytes_max);
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
        let part = Box::pin(self.commit_part(&found, &new, sealed, hashed)).await?;
        self.catch_up_later(tenant, new.upload);
        Ok(part)
    }

    /// Seals a part and, when it is the next of the contiguous prefix, moves the whole-file hash along with it.
    async fn seal_part(
        &self,
        found: &OpenUpload,
        new: &NewPart,
        stream: ByteStream,
    ) -> Result<(Sealed, Option<HashedPrefix>)> {
        let replaces = Replaces::Part(new.upload, new.number);
        let prefix = &found.progress.hashed;
        if new.number != prefix.parts {
            let sealed = self
                .core
                .seal(&found.permit, &found.key, stream, replaces)
                .await?;
            return Ok((sealed, None));
        }
        let hasher = Core::restore_hasher(&found.known, new.upload, prefix)?;
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
            .seal(&found.permit, &found.key, stream.boxed(), replaces)
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
            let change = self
                .part_change(found, &part, &extent, hashed.as_ref())
                .await?;
            match change.commit().await {
                Ok(()) => {
                    if let Some(reservation) = sealed.reservation {
                        reservation.keep();
                    }
                    return Ok(part);
                }
                // Somebody sent the same part, or moved the hash on: the next try looks again, without the hash.
                Err(DbError::Conflict(conflict::PART_RACE)) => hashed = None,
                Err(DbError::Conflict(conflict::QUOTA)) => return Err(over_quota()),
                Err(DbError::Conflict(conflict::UPLOAD_TOO_LARGE)) => {
                    return Err(too_large(self.core.settings.file_bytes_max));
                }
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

    /// Adds a part, or puts it in the place of the one that is held.
    async fn part_change(
        &self,
        found: &OpenUpload,
        part: &Part,
        extent: &Extent,
        hashed: Option<&HashedPrefix>,
    ) -> Result<Change> {
        let upload = found.upload.id;
        let now = self.core.clock.now();
        let reader = self.core.store.reader(&found.permit);
        let old = reader
            .part(upload, part.number)
            .await
            .map_err(error::from_db)?;
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let added = signed(part.size_bytes) - signed(old.as_ref().map_or(0, |old| old.size_bytes));
        let mut change = self.core.store.change(&found.permit);
        change.extend_upload(&Upload {
            expires_at: now.plus(limit::UPLOAD_LIFE),
            ..found.upload.clone()
        });
        change.grow_upload(upload, added, self.core.settings.file_bytes_max);
        change.insert_blob(extent);
        if is_stored(extent) {
            change.consume_reservation(extent.blob);
        }
        if let Some(old) = &old {
            change
                .replace_part(upload, part, old.blob)
                .discard_blob(old.blob, now.plus(limit::BLOB_GRACE))
                .forget_hash(upload, part.number);
        } else {
            change.insert_part(upload, part);
            if let Some(hashed) = hashed {
                change.advance_hash(upload, &found.progress.hashed, hashed);
            }
        }
        change.add_usage(added, 0, &found.known.tenant);
        Ok(change)
    }
}

/// Whether a part may have this size.
fn admit_size(size_bytes: u64, file_bytes_max: u64) -> Result<()> {
    if size_bytes > limit::PART_BYTES_MAX {
        return Err(part_too_large());
    }
    if size_bytes > file_bytes_max {
        return Err(too_large(file_bytes_max));
    }
    Ok(())
}

fn part_too_large() -> Error {
    Error::new(
        ErrorKind::PartTooLarge,
        format!("A part may have at most {} bytes.", limit::PART_BYTES_MAX),
    )
}

/// Ends a stream past the largest part.
fn bounded(stream: ByteStream, file_bytes_max: u64) -> ByteStream {
    let mut seen = 0;
    let counted = stream.map(move |chunk| {
        let chunk = chunk?;
        seen += chunk.len() as u64;
        admit_size(seen, file_bytes_max)?;
        Ok(chunk)
    });
    counted.boxed()
}
