//! Bytes that nothing names yet: counted against the quota while they come, removed when nothing will name them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bailee_auth::Permit;
use bailee_model::{BlobId, Result, TenantId, UploadId, limit};
use bailee_store::DbError;
use futures::StreamExt;

use crate::bytes::ByteStream;
use crate::files::over_quota;
use crate::places::Places;
use crate::{Core, error};

/// The streams that come to this node and are not finished.
#[derive(Default)]
pub(crate) struct Staging {
    /// What those of each tenant have brought.
    bytes: Mutex<HashMap<TenantId, u64>>,
    pub(crate) places: Arc<Places>,
}

impl Staging {
    /// Counts bytes; answers what all streams of the tenant have brought.
    fn add(&self, tenant: TenantId, bytes: u64) -> u64 {
        let mut all = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = all.entry(tenant).or_default();
        *sum = sum.saturating_add(bytes);
        *sum
    }

    fn give_back(&self, tenant: TenantId, bytes: u64) {
        let mut all = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sum) = all.get_mut(&tenant) {
            *sum = sum.saturating_sub(bytes);
            if *sum == 0 {
                all.remove(&tenant);
            }
        }
    }
}

/// What one stream has brought; dropped, it counts no longer.
struct Taken {
    core: Core,
    tenant: TenantId,
    bytes: u64,
}

impl Taken {
    fn add(&mut self, bytes: u64) -> u64 {
        self.bytes += bytes;
        self.core.staging.add(self.tenant, bytes)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.core.staging.give_back(self.tenant, self.bytes);
    }
}

/// Whose bytes are given back when staged ones take their place.
#[derive(Clone, Copy)]
pub(crate) enum Replaces {
    /// Nobody's.
    Nothing,
    /// Those of a part, if there is one of this number.
    Part(UploadId, u32),
}

/// The trace of a stored blob that has no name yet. Dropped before it is kept, it has the blob removed.
pub(crate) struct Reservation {
    core: Core,
    tenant: TenantId,
    blob: BlobId,
    is_kept: bool,
}

impl Reservation {
    /// Something names the blob by now.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        // Without a runtime the process is ending; the reservation stays, and the sweeper comes by.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (core, tenant, blob) = (self.core.clone(), self.tenant, self.blob);
        runtime.spawn(async move {
            if let Err(error) = core.discard(tenant, blob).await {
                tracing::debug!(blob.id = %blob, error = %error, "staged bytes are left to the sweeper");
            }
        });
    }
}

impl Core {
    /// Leaves a trace of a blob before its first byte is written.
    pub(crate) async fn reserve(&self, permit: &Permit, blob: BlobId) -> Result<Reservation> {
        let mut change = self.store.aside(permit);
        change.reserve(blob, self.clock.now().plus(limit::RESERVATION_LIFE));
        change.commit().await.map_err(error::from_db)?;
        Ok(Reservation {
            core: self.clone(),
            tenant: permit.tenant(),
            blob,
            is_kept: false,
        })
    }

    /// Removes a blob that got no name. Whoever gives it a name consumes the same reservation, so that of a placing
    /// whose end is not known and this only one goes through.
    async fn discard(&self, tenant: TenantId, blob: BlobId) -> Result<()> {
        let queue = self.store.queue();
        let mut change = queue.change(tenant);
        // A file of an interrupted stream is removed by the vault soon; the sweeper looks again after that.
        let due = self.clock.now().plus(limit::BLOB_GRACE);
        change.consume_reservation(blob).discard_blob(blob, due);
        match change.commit_logged().await {
            Ok(()) => {}
            Err(DbError::Conflict(_)) => return Ok(()),
            Err(error) => return Err(error::from_db(error)),
        }
        let removed = self.vault.remove(tenant, blob).await;
        removed.map(drop).map_err(bailee_model::Error::internal)
    }

    /// Ends a stream when the tenant's quota cannot allow what its streams have brought to this node. What is read of
    /// the quota grows old while the stream comes, so placing asks again; but no stream stages more than the quota.
    pub(crate) async fn within_quota(
        &self,
        permit: &Permit,
        replaces: Replaces,
        stream: ByteStream,
    ) -> Result<ByteStream> {
        let known = self.tenant(permit.tenant()).await?;
        let Some(quota) = known.tenant.quota_bytes else {
            return Ok(stream);
        };
        let reader = self.store.reader(permit);
        let used = reader.usage().await.map_err(error::from_db)?.bytes;
        let given_back = match replaces {
            Replaces::Nothing => 0,
            Replaces::Part(upload, number) => {
                let part = reader.part(upload, number).await.map_err(error::from_db)?;
                part.map_or(0, |part| part.size_bytes)
            }
        };
        let room = quota.saturating_add(given_back).saturating_sub(used);
        let mut taken = Taken {
            core: self.clone(),
            tenant: permit.tenant(),
            bytes: 0,
        };
        let bounded = stream.map(move |chunk| {
            let chunk = chunk?;
            if taken.add(chunk.len() as u64) > room {
                return Err(over_quota());
            }
            Ok(chunk)
        });
        Ok(bounded.boxed())
    }
}
