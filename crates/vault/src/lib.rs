//! Sealing and opening byte streams: the key hierarchy, the sealed format and the disk backend.
//!
//! The contract: what [`Vault::seal`] reports as stored is durable when it returns; what [`Vault::open`] yields has been
//! authenticated before it leaves; no plain byte and no user text rests on disk. Memory per stream is bounded by
//! [`limit`], whatever the size, and a stream that waits for its client holds no thread.
//!
//! Deliberately absent: rows, quotas, policy, and any clock. Who may seal or open what is decided above.
#![warn(missing_docs)]

mod block;
mod crew;
mod detect;
mod disk;
mod format;
mod hash;
mod keys;
pub mod limit;
mod open;
mod pipeline;
mod scrub;
mod seal;
mod stage;

pub use detect::media_type as detect;
pub use disk::{Disk, DiskError, StoredBlob};
pub use format::{
    ALGORITHM_AES_256_GCM, End, FormatError, HEADER_BYTES, Header, MAGIC, SALT_BYTES,
    SEGMENT_BYTES, SegmentOpener, SegmentSealer, TAG_BYTES, VERSION, sealed_size, segment_count,
    segment_of,
};
pub use hash::{HashStateError, PrefixHasher};
pub use keys::{DataKey, KeyError, RootKey, WrappingKey};
pub use open::{BlobBytes, OpenBlob, OpenError};
pub use scrub::ScrubReport;
pub use seal::{Digest, Placement, SealBlob, SealError, SealedBlob};

pub use limit::SNIFF_BYTES;

use std::sync::Arc;

use bailee_model::{BlobId, TenantId};

use pipeline::Works;

/// What one vault allows.
#[derive(Clone, Copy, Debug)]
pub struct VaultLimits {
    /// The largest content of one blob; a longer stream ends in [`SealError::TooLarge`].
    pub blob_bytes_max: u64,
}

impl Default for VaultLimits {
    fn default() -> Self {
        Self {
            blob_bytes_max: limit::BLOB_BYTES_MAX,
        }
    }
}

/// Where sealed blobs live. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    disk: Arc<Disk>,
    limits: VaultLimits,
    works: Arc<Works>,
}

impl Vault {
    /// A vault on `disk`.
    pub fn new(disk: Disk, limits: VaultLimits) -> Self {
        Self {
            disk: Arc::new(disk),
            limits,
            works: Arc::new(Works::new()),
        }
    }

    /// The backend, for the sweeper and for health checks. Its calls block.
    pub fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    /// Removes a stored blob off the async threads, and what a process that died while writing it left behind.
    /// `false`: there was neither, which is no error.
    pub async fn remove(&self, tenant: TenantId, blob: BlobId) -> Result<bool, DiskError> {
        let disk = Arc::clone(&self.disk);
        let removed = tokio::task::spawn_blocking(move || {
            let unfinished = disk.remove_temporary(tenant, blob)?;
            disk.remove(tenant, blob).map(|stored| stored || unfinished)
        });
        removed.await.unwrap_or(Err(DiskError::Stopped))
    }
}
