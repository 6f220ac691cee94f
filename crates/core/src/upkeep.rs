//! What keeps an installation in order: sealing and checkpoints, handing events to consumers, sweeping, scrubbing.

use bailee_model::{
    Delivery, DeliveryId, DeliveryState, Entry, EntryKind, EventType, Outcome, PageRequest, Result,
    SealedEntry, TenantId, UploadState, Webhook, WebhookState, limit,
};
use bailee_store::{DbError, Head, UnsealedEntry, conflict};
use bailee_vault::{DataKey, OpenBlob};

use crate::journal::Note;
use crate::merkle::{Frontier, leaf_hash};
use crate::{Core, error, event_body};

/// Entries sealed in one transaction.
const SEAL_STEP: u32 = 1000;
/// Events handed to webhooks in one transaction.
const DISPATCH_STEP: u32 = 200;
/// Things swept of each kind in one round.
const SWEEP_STEP: u32 = 500;

/// The engine's regular work.
pub struct Upkeep<'a> {
    pub(crate) core: &'a Core,
}

/// What a round of sweeping did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Uploads whose time ran out.
    pub uploads_expired: u64,
    /// File versions that left the trash.
    pub files_purged: u64,
    /// Blobs removed.
    pub blobs_removed: u64,
}

/// What a scrub found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Blobs opened to the last segment.
    pub blobs: u64,
    /// Bytes of content in them.
    pub bytes: u64,
    /// Blobs that do not open, with the reason.
    pub damaged: Vec<(String, String)>,
    /// Blobs that no file names any more and that wait for the sweeper.
    pub unnamed: u64,
}

impl Upkeep<'_> {
    /// Gives entries that have none their sequences. How many were sealed; zero when nothing waited or another node
    /// was first.
    pub async fn seal_journal(&self) -> Result<u64> {
        let waiting = self
            .core
            .store
            .queue()
            .unsealed(SEAL_STEP)
            .await
            .map_err(error::from_db)?;
        let mut sealed = 0;
        let mut tenants: Vec<TenantId> = waiting.iter().map(|entry| entry.tenant).collect();
        tenants.sort();
        tenants.dedup();
        for tenant in tenants {
            let entries: Vec<&UnsealedEntry> = waiting
                .iter()
                .filter(|entry| entry.tenant == tenant)
                .collect();
            sealed += self.seal_tenant(tenant, &entries).await?;
        }
        Ok(sealed)
    }

    async fn seal_tenant(&self, tenant: TenantId, entries: &[&UnsealedEntry]) -> Result<u64> {
        let queue = self.core.store.queue();
        let head = queue
            .reader(tenant)
            .journal_head()
            .await
            .map_err(error::from_db)?;
        let head = head.ok_or_else(|| bailee_model::Error::internal("a journal has no head"))?;
        let mut frontier = Frontier::parse(head.size, &head.frontier).ok_or_else(|| {
            bailee_model::Error::internal("a journal's head does not fit its size")
        })?;
        let mut leaves = Vec::with_capacity(entries.len());
        for unsealed in entries {
            let leaf = leaf_hash(&unsealed.entry.leaf_bytes(tenant));
            frontier.append(leaf);
            leaves.push((unsealed.ord, hex::encode(leaf)));
        }
        let to = Head {
            size: frontier.size(),
            frontier: frontier.to_text(),
            checkpoint_size: head.checkpoint_size,
        };
        match queue.seal(tenant, &head, &leaves, &to).await {
            Ok(()) => Ok(leaves.len() as u64),
            Err(DbError::Conflict(conflict::HEAD_MOVED)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
    }

    /// Signs a checkpoint of every journal that has grown since its last. How many were signed.
    pub async fn sign_checkpoints(&self) -> Result<u64> {
        let queue = self.core.store.queue();
        let mut signed = 0;
        for (tenant, head) in queue.behind_checkpoint().await.map_err(error::from_db)? {
            let frontier = Frontier::parse(head.size, &head.frontier).ok_or_else(|| {
                bailee_model::Error::internal("a journal's head does not fit its size")
            })?;
            let note = self.core.signer.sign(tenant, head.size, &frontier.root());
            match queue
                .put_checkpoint(tenant, head.size, &note, self.core.clock.now())
                .await
            {
                Ok(()) => signed += 1,
                Err(DbError::Conflict(conflict::HEAD_MOVED)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Ok(signed)
    }

    /// Hands sealed events to webhooks: deliveries and their jobs, and the cursor, in one transaction. How many
    /// entries were read.
    pub async fn dispatch_events(&self) -> Result<u64> {
        let lagging = self
            .core
            .store
            .queue()
            .lagging("webhooks")
            .await
            .map_err(error::from_db)?;
        let mut read = 0;
        for (tenant, cursor, size) in lagging {
            read += self.dispatch_tenant(tenant, cursor, size).await?;
        }
        Ok(read)
    }

    async fn dispatch_tenant(&self, tenant: TenantId, cursor: u64, size: u64) -> Result<u64> {
        let queue = self.core.store.queue();
        let reader = queue.reader(tenant);
        let events = reader
            .events_after(cursor, &[], DISPATCH_STEP)
            .await
            .map_err(error::from_db)?;
        let is_last = events.len() < DISPATCH_STEP as usize;
        let to = if is_last {
            size
        } else {
            events.last().map_or(size, |event| event.sequence)
        };
        let mut webhooks: Vec<Webhook> = Vec::new();
        if !events.is_empty() {
            let mut page = PageRequest {
                limit: limit::PAGE_MAX,
                after: None,
            };
            loop {
                let found = reader.webhooks(&page).await.map_err(error::from_db)?;
                webhooks.extend(found.data);
                page.after = found.next;
                if page.after.is_none() {
                    break;
                }
            }
        }
        let mut change = queue.change(tenant);
        for event in events.iter().filter(|event| event.sequence <= to) {
            for webhook in webhooks.iter().filter(|webhook| is_for(event, webhook)) {
                self.core
                    .schedule(&mut change, &self.delivery(tenant, event, webhook));
            }
        }
        change.move_cursor("webhooks", cursor, to.max(cursor));
        match change.commit().await {
            Ok(()) => Ok(to.saturating_sub(cursor)),
            Err(DbError::Conflict(_)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
    }

    fn delivery(&self, tenant: TenantId, event: &SealedEntry, webhook: &Webhook) -> Delivery {
        let now = self.core.clock.now();
        Delivery {
            id: DeliveryId::new(now, &*self.core.chance),
            webhook: webhook.id,
            event: event.entry.event_id(),
            event_type: match event.entry.kind {
                EntryKind::Event(kind) => kind,
                EntryKind::Record => EventType::Ping,
            },
            body: event_body(tenant, event).to_string(),
            attempt: 1,
            state: DeliveryState::Scheduled,
            scheduled_at: now,
            sent_at: None,
            duration_ms: None,
            answer_status: None,
            answer_body: None,
            error: None,
            created_at: now,
        }
    }

    /// Ends uploads whose time ran out, empties the trash, removes bytes that nothing names, forgets what is old.
    pub async fn sweep(&self) -> Result<SweepReport> {
        let mut report = SweepReport {
            uploads_expired: self.sweep_uploads().await?,
            ..SweepReport::default()
        };
        report.files_purged = self.sweep_trash().await?;
        report.blobs_removed = self.sweep_blobs().await?;
        let now = self.core.clock.now();
        let old = now.minus(limit::DELIVERY_KEPT);
        self.core
            .store
            .queue()
            .forget_old(now, old)
            .await
            .map_err(error::from_db)?;
        Ok(report)
    }

    async fn sweep_uploads(&self) -> Result<u64> {
        let queue = self.core.store.queue();
        let now = self.core.clock.now();
        let mut ended = 0;
        for (tenant, id) in queue
            .expired_uploads(now, SWEEP_STEP)
            .await
            .map_err(error::from_db)?
        {
            let Some((upload, ..)) = queue
                .reader(tenant)
                .upload(id)
                .await
                .map_err(error::from_db)?
            else {
                continue;
            };
            let entry = self
                .core
                .own_entry(Note::record("uploads.expire").about(id).at(&upload.path));
            match self
                .core
                .end_upload(tenant, upload, UploadState::Expired, &entry)
                .await
            {
                Ok(()) => ended += 1,
                Err(error) if error.kind() == bailee_model::ErrorKind::StateConflict => {}
                Err(error) => return Err(error),
            }
        }
        // An ended upload is remembered for a while, so that repeating its last call gives the same answer.
        let before = now.minus(limit::UPLOAD_LIFE);
        for (tenant, id) in queue
            .ended_uploads(before, SWEEP_STEP)
            .await
            .map_err(error::from_db)?
        {
            let mut change = queue.change(tenant);
            change.drop_parts(id).drop_upload(id);
            change.commit().await.map_err(error::from_db)?;
        }
        Ok(ended)
    }

    async fn sweep_trash(&self) -> Result<u64> {
        let queue = self.core.store.queue();
        let now = self.core.clock.now();
        let mut purged = 0;
        for (tenant, id, deleted_at, life) in
            queue.trash(now, SWEEP_STEP).await.map_err(error::from_db)?
        {
            let life = life.map_or(limit::TRASH_LIFE, std::time::Duration::from_secs);
            if now < deleted_at.plus(life) {
                continue;
            }
            let Some(file) = queue
                .reader(tenant)
                .file(id)
                .await
                .map_err(error::from_db)?
            else {
                continue;
            };
            let known = self.core.tenant(tenant).await?;
            let mut change = queue.change(tenant);
            self.core.purge(&mut change, &file, &known.tenant);
            let note = Note::record("files.purge").about(id).at(&file.path);
            change.journal(&self.core.own_entry(note.ended(Outcome::Success)));
            match change.commit().await {
                Ok(()) => purged += 1,
                Err(DbError::Conflict(_)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Ok(purged)
    }

    async fn sweep_blobs(&self) -> Result<u64> {
        let queue = self.core.store.queue();
        let now = self.core.clock.now();
        let mut removed = 0;
        for (tenant, blob) in queue
            .expired_reservations(now, SWEEP_STEP)
            .await
            .map_err(error::from_db)?
        {
            let is_live = queue.is_live(tenant, blob).await.map_err(error::from_db)?;
            let mut change = queue.change(tenant);
            change.drop_reservation(blob);
            if !is_live {
                change.discard_blob(blob, now);
            }
            change.commit().await.map_err(error::from_db)?;
        }
        for (tenant, blob) in queue
            .garbage(now, SWEEP_STEP)
            .await
            .map_err(error::from_db)?
        {
            let mut change = queue.change(tenant);
            change.drop_garbage(blob);
            change.commit().await.map_err(error::from_db)?;
            // A file that named the blob in the meantime kept its row; only then the bytes stay.
            if queue.is_live(tenant, blob).await.map_err(error::from_db)? {
                continue;
            }
            let was_there = self
                .core
                .vault
                .remove(tenant, blob)
                .await
                .map_err(bailee_model::Error::internal)?;
            removed += u64::from(was_there);
        }
        Ok(removed)
    }

    /// Opens every segment of every blob.
    pub async fn scrub(&self) -> Result<ScrubReport> {
        let queue = self.core.store.queue();
        let mut report = ScrubReport::default();
        let mut after = String::new();
        loop {
            let items = queue
                .blobs_after(&after, 100)
                .await
                .map_err(error::from_db)?;
            let Some(last) = items.last() else {
                return Ok(report);
            };
            after = last.extent.blob.to_string();
            for item in items {
                let blob = item.extent.blob;
                let Some((wrapped, context)) = item.wrapped_key else {
                    report.unnamed += 1;
                    continue;
                };
                match self
                    .scrub_one(item.tenant, item.extent, (&wrapped, &context))
                    .await
                {
                    Ok(bytes) => {
                        report.blobs += 1;
                        report.bytes += bytes;
                    }
                    Err(reason) => {
                        tracing::error!(blob.id = %blob, reason, "stored bytes are damaged");
                        report.damaged.push((blob.to_string(), reason));
                    }
                }
            }
        }
    }

    async fn scrub_one(
        &self,
        tenant: TenantId,
        extent: bailee_model::Extent,
        (wrapped, context): (&[u8], &str),
    ) -> std::result::Result<u64, String> {
        let known = self
            .core
            .tenant(tenant)
            .await
            .map_err(|error| error.to_string())?;
        let context = format!("{tenant}/{context}");
        let key = DataKey::unwrap_with(wrapped, &known.key, &context)
            .map_err(|error| error.to_string())?;
        let command = OpenBlob {
            tenant,
            blob: extent.blob,
            data_key: &key,
            size_bytes: extent.size_bytes,
            placement: extent.placement,
        };
        let report = self
            .core
            .vault
            .scrub_blob(command)
            .await
            .map_err(|error| error.to_string())?;
        Ok(report.size_bytes)
    }
}

/// Whether an event is for a webhook: its type, and its path where the webhook is bound to one.
fn is_for(event: &SealedEntry, webhook: &Webhook) -> bool {
    let Entry {
        kind: EntryKind::Event(kind),
        subject,
        ..
    } = &event.entry
    else {
        return false;
    };
    if webhook.state != WebhookState::Enabled
        || !webhook.wants(*kind)
        || event.entry.timestamp < webhook.created_at
    {
        return false;
    }
    webhook.path_prefix.as_ref().is_none_or(|prefix| {
        let path = subject
            .path
            .as_ref()
            .and_then(|path| path.parse::<bailee_model::FolderPath>().ok());
        path.is_some_and(|path| path.is_within(prefix))
    })
}
