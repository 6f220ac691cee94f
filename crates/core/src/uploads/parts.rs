use std::sync::{Mutex, PoisonError};

use bailee_auth::Caller;
use bailee_model::{Error, ErrorKind, Part, Result, Upload, UploadId, limit};
use bailee_store::{DbError, HashedPrefix, conflict};
use bytes::Bytes;
use futures::StreamExt;

use crate::bytes::{ByteStream, Sealed, exactly, is_stored};
use crate::files::{RACES_MAX, digest_mismatch, over_quota};
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
