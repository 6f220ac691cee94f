use std::time::Duration;

use bailee_model::{
    BlobId, Error, ErrorKind, FileId, Outcome, Result, Tenant, TenantId, UploadId, UploadState,
    limit,
};
use bailee_store::DbError;

use super::{SweepReport, Upkeep, tell};
use crate::error;
use crate::journal::Note;

/// Things swept of each kind in one round; of the trash, in one round and tenant.
const SWEEP_STEP: u32 = 500;
/// How long a blob rests whose bytes could not be removed, so that others have their turn.
const GARBAGE_PAUSE: Duration = Duration::from_hours(1);

impl Upkeep<'_> {
    /// Ends uploads whose time ran out, empties the trash, removes bytes that nothing names, forgets what is old. A
    /// step that fails keeps no other from running; the first error is returned when all had their turn.
    pub async fn sweep(&self) -> Result<SweepReport> {
        let uploads = self.sweep_uploads().await;
        let trash = self.sweep_trash().await;
        let reservations = self.sweep_reservations().await;
        let blobs = self.sweep_garbage().await;
        let now = self.core.clock.now();
        let old = now.minus(limit::DELIVERY_KEPT);
        let handed_on = now.minus(limit::PUBLICATION_KEPT);
        let queue = self.core.store.queue();
        let forgotten = queue.forget_old(now, old, handed_on).await;
        let report = SweepReport {
            uploads_expired: uploads?,
            files_purged: trash?,
            blobs_removed: blobs?,
        };
        reservations?;
        forgotten.map_err(error::from_db)?;
        Ok(report)
    }

    async fn sweep_uploads(&self) -> Result<u64> {
        let queue = self.core.store.queue();
        let now = self.core.clock.now();
        let mut ended = 0;
        let expired = queue.expired_uploads(now, SWEEP_STEP).await;
        for (tenant, id) in expired.map_err(error::from_db)? {
            match self.expire_upload(tenant, id).await {
                Ok(count) => ended += count,
                Err(error) => tell("expire upload", tenant, &error),
            }
        }
        // An ended upload is remembered for a while, so that repeating its last call gives the same answer.
        let before = now.minus(limit::UPLOAD_LIFE);
        let old = queue.ended_uploads(before, SWEEP_STEP).await;
        for (tenant, id) in old.map_err(error::from_db)? {
            let mut change = queue.change(tenant);
            change.drop_parts(id).drop_upload(id);
            if let Err(error) = change.commit().await {
                tell("forget upload", tenant, &error::from_db(error));
            }
        }
        Ok(ended)
    }

    async fn expire_upload(&self, tenant: TenantId, id: UploadId) -> Result<u64> {
        let reader = self.core.store.queue().reader(tenant);
        let Some((upload, ..)) = reader.upload(id).await.map_err(error::from_db)? else {
            return Ok(0);
        };
        let note = Note::record("uploads.expire").about(id).at(&upload.path);
        let entry = self.core.own_entry(note);
        let ended = self
            .core
            .end_upload(tenant, upload, UploadState::Expired, &entry);
        match ended.await {
            Ok(()) => Ok(1),
            Err(error) if error.kind() == ErrorKind::StateConflict => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Each tenant has its own time for its trash, and its own share of a round.
    async fn sweep_trash(&self) -> Result<u64> {
        let queue = self.core.store.queue();
        let now = self.core.clock.now();
        let mut purged = 0;
        let mut after = String::new();
        loop {
            let tenants = queue.tenants_with_trash(&after, SWEEP_STEP).await;
            let tenants = tenants.map_err(error::from_db)?;
            let Some(last) = tenants.last() else {
                return Ok(purged);
            };
            after = last.id.to_string();
            for tenant in tenants {
                let life = tenant.settings.trash_seconds;
                let life = life.map_or(limit::TRASH_LIFE, Duration::from_secs);
                let due = queue.trash(tenant.id, now.minus(life), SWEEP_STEP).await;
                let due = match due.map_err(error::from_db) {
                    Ok(due) => due,
                    Err(error) => {
                        tell("empty trash", tenant.id, &error);
                        continue;
                    }
                };
                for id in due {
                    match self.purge_one(&tenant, id).await {
                        Ok(count) => purged += count,
                        Err(error) => tell("empty trash", tenant.id, &error),
                    }
                }
            }
        }
    }

    async fn purge_one(&self, tenant: &Tenant, id: FileId) -> Result<u64> {
        let queue = self.core.store.queue();
        let reader = queue.reader(tenant.id);
        let Some(file) = reader.file(id).await.map_err(error::from_db)? else {
            return Ok(0);
        };
        let mut change = queue.change(tenant.id);
        self.core.purge(&mut change, &file, tenant);
        let note = Note::record("files.purge").about(id).at(&file.path);
        change.journal(&self.core.own_entry(note.ended(Outcome::Success)));
        match change.commit().await {
            Ok(()) => Ok(1),
            Err(DbError::Conflict(_)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
    }

    async fn sweep_reservations(&self) -> Result<()> {
        let queue = self.core.store.queue();
        let now = self.core.clock.now();
        let expired = queue.expired_reservations(now, SWEEP_STEP).await;
        for (tenant, blob) in expired.map_err(error::from_db)? {
            let released = async {
                let is_live = queue.is_live(tenant, blob).await?;
                let mut change = queue.change(tenant);
                change.drop_reservation(blob);
                if !is_live {
                    change.discard_blob(blob, now);
                }
                change.commit().await
            };
            if let Err(error) = released.await {
                tell("release reservation", tenant, &error::from_db(error));
            }
        }
        Ok(())
    }

    async fn sweep_garbage(&self) -> Result<u64> {
        let queue = self.core.store.queue();
        let now = self.core.clock.now();
        let mut removed = 0;
        let due = queue.garbage(now, SWEEP_STEP).await;
        for (tenant, blob) in due.map_err(error::from_db)? {
            match self.remove_garbage(tenant, blob).await {
                Ok(count) => removed += count,
                Err(error) => {
                    tell("remove bytes", tenant, &error);
                    let mut change = queue.change(tenant);
                    change.defer_garbage(blob, now.plus(GARBAGE_PAUSE));
                    if let Err(error) = change.commit().await {
                        tell("remove bytes", tenant, &error::from_db(error));
                    }
                }
            }
        }
        Ok(removed)
    }

    /// The row that could be named goes first, so that nothing can name the bytes any more; then the bytes; and what
    /// tells the sweeper of them last, so that a crash between leaves nothing behind that is not tried again.
    async fn remove_garbage(&self, tenant: TenantId, blob: BlobId) -> Result<u64> {
        let queue = self.core.store.queue();
        let mut change = queue.change(tenant);
        change.drop_blob(blob);
        match change.commit().await {
            // Somebody named the blob at this moment: its row stays.
            Ok(()) | Err(DbError::Conflict(_)) => {}
            Err(error) => return Err(error::from_db(error)),
        }
        let is_live = queue.is_live(tenant, blob).await.map_err(error::from_db)?;
        let was_there = !is_live
            && self
                .core
                .vault
                .remove(tenant, blob)
                .await
                .map_err(Error::internal)?;
        let mut change = queue.change(tenant);
        change.drop_garbage(blob);
        change.commit().await.map_err(error::from_db)?;
        Ok(u64::from(was_there))
    }
}
