//! The whole-file hash of an upload, which follows its contiguous prefix.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use bailee_model::{Error, Part, Result, TenantId, UploadId, UploadState};
use bailee_store::{DbError, HashedPrefix, conflict};
use bailee_vault::{DataKey, PrefixHasher};
use futures::StreamExt;

use crate::keyring::Known;
use crate::{Core, error};

use super::{Uploads, key_context};

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

impl Uploads<'_> {
    /// Reads back, off the request, what came early and is contiguous by now.
    pub(super) fn catch_up_later(&self, tenant: TenantId, id: UploadId) {
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
    pub(super) fn restore_hasher(
        known: &Known,
        id: UploadId,
        prefix: &HashedPrefix,
    ) -> Result<PrefixHasher> {
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

    pub(super) fn save_hasher(
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

    pub(super) async fn hash_part(
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
            let Some((upload, wrapped, progress)) =
                reader.upload(id).await.map_err(error::from_db)?
            else {
                return Ok(());
            };
            let prefix = progress.hashed;
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
            // The part must still be the one that was read. The upload's row comes first, as it does for parts.
            change.advance_hash(id, &prefix, &next).hold_part(id, &part);
            match change.commit().await {
                Ok(()) => {}
                Err(DbError::Conflict(conflict::PART_RACE)) => return Ok(()),
                Err(error) => return Err(error::from_db(error)),
            }
        }
    }
}
