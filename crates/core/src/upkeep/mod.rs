//! What keeps an installation in order: sealing and checkpoints, handing events to consumers, sweeping, scrubbing.
//!
//! One tenant's damage is not everybody's: what fails is logged, and the rest of the round goes on.

mod dispatch;
mod publish;
mod sweep;
mod watch;

pub(crate) use self::dispatch::is_for;

use bailee_model::{Error, Result, TenantId};
use bailee_store::{DbError, Head, JournalNode, UnsealedEntry, conflict};
use bailee_vault::{DataKey, OpenBlob};

use crate::merkle::{Frontier, leaf_hash};
use crate::proofs::NODE_LEVEL_MIN;
use crate::{Core, error};

/// Entries sealed in one transaction.
const SEAL_STEP: u32 = 1000;

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
        let queue = self.core.store.queue();
        let mut sealed = 0;
        let mut failed: Vec<TenantId> = Vec::new();
        loop {
            let waiting = queue.unsealed(SEAL_STEP, &failed).await;
            let waiting = waiting.map_err(error::from_db)?;
            let failed_before = failed.len();
            let mut tenants: Vec<TenantId> = waiting.iter().map(|entry| entry.tenant).collect();
            tenants.sort();
            tenants.dedup();
            for tenant in tenants {
                let entries: Vec<&UnsealedEntry> = waiting
                    .iter()
                    .filter(|entry| entry.tenant == tenant)
                    .collect();
                match self.seal_tenant(tenant, &entries).await {
                    Ok(count) => sealed += count,
                    Err(error) => {
                        tell("seal", tenant, &error);
                        failed.push(tenant);
                    }
                }
            }
            // What cannot be sealed must not fill the step of those who come after it.
            if failed.len() == failed_before || waiting.len() < SEAL_STEP as usize {
                return Ok(sealed);
            }
        }
    }

    async fn seal_tenant(&self, tenant: TenantId, entries: &[&UnsealedEntry]) -> Result<u64> {
        let queue = self.core.store.queue();
        let head = queue
            .reader(tenant)
            .journal_head()
            .await
            .map_err(error::from_db)?;
        let head = head.ok_or_else(|| Error::internal("a journal has no head"))?;
        let mut frontier = Frontier::parse(head.size, &head.frontier)
            .ok_or_else(|| Error::internal("a journal's head does not fit its size"))?;
        let mut leaves = Vec::with_capacity(entries.len());
        let mut nodes = Vec::new();
        for unsealed in entries {
            let leaf = leaf_hash(&unsealed.entry.leaf_bytes(tenant));
            frontier.append_telling(leaf, |level, ordinal, root| {
                if level >= NODE_LEVEL_MIN {
                    nodes.push(JournalNode {
                        level,
                        ordinal,
                        hash: hex::encode(root),
                    });
                }
            });
            leaves.push((unsealed.ord, hex::encode(leaf)));
        }
        let to = Head {
            size: frontier.size(),
            frontier: frontier.to_text(),
            checkpoint_size: head.checkpoint_size,
        };
        match queue.seal(tenant, (&head, &to), (&leaves, &nodes)).await {
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
            match self.sign_tenant(tenant, &head).await {
                Ok(count) => signed += count,
                Err(error) => tell("sign", tenant, &error),
            }
        }
        Ok(signed)
    }

    pub(crate) async fn sign_tenant(&self, tenant: TenantId, head: &Head) -> Result<u64> {
        let frontier = Frontier::parse(head.size, &head.frontier)
            .ok_or_else(|| Error::internal("a journal's head does not fit its size"))?;
        let note = self.core.signer.sign(tenant, head.size, &frontier.root());
        let now = self.core.clock.now();
        let queue = self.core.store.queue();
        match queue.put_checkpoint(tenant, head.size, &note, now).await {
            Ok(()) => Ok(1),
            Err(DbError::Conflict(conflict::HEAD_MOVED)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
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

/// Does a step for each tenant that has something to do, and sums what was done. One tenant's failure is told and keeps
/// no other waiting.
pub(crate) async fn in_each<W, F>(
    work: &'static str,
    waiting: Vec<(TenantId, W)>,
    step: impl Fn(TenantId, W) -> F,
) -> u64
where
    F: Future<Output = Result<u64>>,
{
    let mut done = 0;
    for (tenant, what) in waiting {
        match step(tenant, what).await {
            Ok(count) => done += count,
            Err(error) => tell(work, tenant, &error),
        }
    }
    done
}

/// Tells of what failed; the round goes on without it.
pub(crate) fn tell(work: &'static str, tenant: TenantId, error: &Error) {
    tracing::error!(work, tenant.id = %tenant, %error, "upkeep failed for one tenant and is tried again");
}
