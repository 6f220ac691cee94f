//! Sealing a stream: hashed, sniffed, cut into segments, encrypted, and durable when [`Vault::seal`] returns.

use std::mem;
use std::pin::pin;
use std::sync::Arc;

use bailee_model::{BlobId, Chance, TenantId};
use bytes::Bytes;
use futures::{Stream, StreamExt};

pub use bailee_model::Placement;

use crate::block::Block;
use crate::disk::DiskError;
use crate::format::{
    End, FormatError, HEADER_BYTES, Header, SALT_BYTES, SegmentSealer, sealed_run,
};
use crate::keys::DataKey;
use crate::limit::INLINE_BYTES_MAX;
use crate::pipeline::{Pipeline, StoreError, Stored, Target, Works};
use crate::{Vault, detect};

/// Whether a digest of the content is wanted. It is half of the work, so it is made only if somebody will read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256 of the content.
    Sha256,
    /// No digest: the caller hashes in another order, or not at all.
    None,
}

/// A stream to seal.
pub struct SealBlob<'a> {
    /// Whose blob it is.
    pub tenant: TenantId,
    /// Its id: new, and never used again whatever comes of this.
    pub blob: BlobId,
    /// The file's key.
    pub data_key: &'a DataKey,
    /// Content up to this size is returned sealed instead of being written to a file; capped by
    /// [`limit::INLINE_BYTES_MAX`](crate::limit::INLINE_BYTES_MAX).
    pub inline_bytes_max: usize,
    /// Whether to hash the content.
    pub digest: Digest,
}

/// A sealed stream: durable if stored, and to be made durable by the caller if inline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBlob {
    /// Its id.
    pub blob: BlobId,
    /// Content bytes.
    pub size_bytes: u64,
    /// Bytes it takes sealed.
    pub sealed_bytes: u64,
    /// The digest, if it was asked for.
    pub sha256: Option<[u8; 32]>,
    /// The media type its beginning looks like.
    pub detected_type: Option<&'static str>,
    /// Where the sealed bytes are.
    pub placement: Placement,
}

/// Why nothing was sealed. Whatever was written has been or is being removed.
#[derive(Debug, thiserror::Error)]
pub enum SealError<E> {
    /// The incoming stream failed.
    #[error("the incoming stream failed")]
    Stream(E),
    /// The content is larger than the vault's limit.
    #[error("the content is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The disk or its quota is full.
    #[error("no space left for a blob")]
    NoSpace(#[source] DiskError),
    /// A sync failed: the caller must end the process, because what is durable is no longer known.
    #[error("a blob could not be synced")]
    SyncFailed(#[source] DiskError),
    /// The disk failed otherwise.
    #[error("a blob could not be written")]
    Disk(#[source] DiskError),
    /// The cipher refused; never seen.
    #[error("a blob could not be sealed")]
    Cipher(#[source] FormatError),
}

impl<E> From<StoreError> for SealError<E> {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Format(error) => Self::Cipher(error),
            StoreError::Disk(error @ DiskError::NoSpace { .. }) => Self::NoSpace(error),
            StoreError::Disk(error @ DiskError::SyncFailed { .. }) => Self::SyncFailed(error),
            StoreError::Disk(error) => Self::Disk(error),
        }
    }
}

impl Vault {
    /// Seals `stream` as one blob. Must be called within a Tokio runtime.
    ///
    /// A blob that is [`Placement::Stored`] is durable under its final name when this returns. If the stream fails or the
    /// future is dropped, the file is removed soon after, by a thread of the blocking pool.
    pub async fn seal<S, E>(
        &self,
        command: SealBlob<'_>,
        stream: S,
        chance: &dyn Chance,
    ) -> Result<SealedBlob, SealError<E>>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
    {
        let mut salt = [0; SALT_BYTES];
        chance.fill(&mut salt);
        let sealer = SegmentSealer::new(
            command.data_key,
            Header::new(salt),
            command.tenant,
            command.blob,
        )
        .map_err(SealError::Cipher)?;
        let target = Target {
            disk: Arc::clone(&self.disk),
            tenant: command.tenant,
            blob: command.blob,
            sealer,
            digest: command.digest,
        };
        let inline_bytes_max = command.inline_bytes_max.min(INLINE_BYTES_MAX);
        let mut intake = Intake {
            works: &self.works,
            filling: Block::holding(inline_bytes_max),
            inline_bytes_max,
            size_bytes: 0,
            detected_type: None,
            target: Some(target),
            pipeline: None,
        };
        let mut stream = pin!(stream);
        while let Some(received) = stream.next().await {
            let received = received.map_err(SealError::Stream)?;
            let size_bytes = intake.size_bytes + received.len() as u64;
            if size_bytes > self.limits.blob_bytes_max {
                return Err(SealError::TooLarge {
                    limit_bytes: self.limits.blob_bytes_max,
                });
            }
            intake.put(received).await?;
        }
        Ok(intake.finish(command.blob).await?)
    }
}

/// The receiving side: fills batches, and starts the pipeline when the content outgrows the first, which
/// has room for what may be inline.
struct Intake<'a> {
    works: &'a Works,
    filling: Block,
    inline_bytes_max: usize,
    size_bytes: u64,
    detected_type: Option<&'static str>,
    /// Until the pipeline takes it.
    target: Option<Target>,
    pipeline: Option<Pipeline>,
}

impl Intake<'_> {
    async fn put(&mut self, mut received: Bytes) -> Result<(), StoreError> {
        self.size_bytes += received.len() as u64;
        while !received.is_empty() {
            // A full batch waits until more comes: only then is it known not to be the last.
            if self.filling.room() == 0 {
                let full = mem::replace(&mut self.filling, Block::small());
                self.filling = self.pipeline(full.bytes())?.exchange(full).await?;
            }
            self.filling.fill(&mut received);
        }
        Ok(())
    }

    async fn finish(mut self, blob: BlobId) -> Result<SealedBlob, StoreError> {
        let last = mem::replace(&mut self.filling, Block::small());
        if last.len() as u64 == self.size_bytes && last.len() <= self.inline_bytes_max {
            return self.seal_inline(blob, last.bytes());
        }
        let Stored {
            sealed_bytes,
            sha256,
        } = self.pipeline(last.bytes())?.finish(last).await?;
        Ok(SealedBlob {
            blob,
            size_bytes: self.size_bytes,
            sealed_bytes,
            sha256,
            detected_type: self.detected_type,
            placement: Placement::Stored,
        })
    }

    /// The running pipeline. `first` is the batch in hand, which is the content's beginning if the pipeline starts now.
    fn pipeline(&mut self, first: &[u8]) -> Result<&mut Pipeline, StoreError> {
        if let Some(target) = self.target.take() {
            self.detected_type = detect::media_type(first);
            self.pipeline = Some(Pipeline::new(self.works, target));
        }
        self.pipeline
            .as_mut()
            .ok_or(StoreError::Disk(DiskError::Stopped))
    }

    fn seal_inline(self, blob: BlobId, content: &[u8]) -> Result<SealedBlob, StoreError> {
        let mut target = self.target.ok_or(DiskError::Stopped)?;
        let mut sealed = vec![0; HEADER_BYTES + sealed_run(content.len())];
        if let Some((front, rest)) = sealed.split_first_chunk_mut::<HEADER_BYTES>() {
            *front = *target.sealer.header();
            target.sealer.seal(content, End::Last, rest)?;
        }
        let sha256 = match target.digest {
            Digest::None => None,
            Digest::Sha256 => aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content)
                .as_ref()
                .try_into()
                .ok(),
        };
        Ok(SealedBlob {
            blob,
            size_bytes: content.len() as u64,
            sealed_bytes: sealed.len() as u64,
            sha256,
            detected_type: detect::media_type(content),
            placement: Placement::Inline(sealed),
        })
    }
}
