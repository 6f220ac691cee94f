//! Proofs about a journal: that an entry is in it, and that a later state of it continues an earlier one.
//!
//! A proof leads to a signed checkpoint, so whoever holds the installation's public key needs nothing else. Where none
//! covers what is to be proven, one is signed at once.

use bailee_auth::Caller;
use bailee_model::{AuditId, Error, ErrorKind, Result, SealedEntry, TenantId};
use bailee_store::Reader;

use crate::audit::Audit;
use crate::merkle::{Hash, Stretch, consistency, folded, inclusion, leaf_hash, led_to, subtrees};
use crate::upkeep::Upkeep;
use crate::{Core, checkpoint, error};

/// Subtrees from this level on are kept; smaller ones are computed from their leaves.
pub(crate) const NODE_LEVEL_MIN: u32 = 8;
/// How many times a checkpoint is signed anew that another node signs at the same time.
const RACES_MAX: u32 = 4;

/// That an entry is in a journal.
#[derive(Clone, Debug)]
pub struct InclusionProof {
    /// The entry.
    pub entry: SealedEntry,
    /// The hash of its leaf.
    pub leaf: [u8; 32],
    /// Size of the tree that the proof leads to.
    pub tree_size: u64,
    /// Its root.
    pub root: [u8; 32],
    /// The proof of RFC 6962, from the leaf up.
    pub path: Vec<[u8; 32]>,
    /// The signed checkpoint of that tree.
    pub checkpoint: String,
}

/// That a journal of one size continues that of another.
#[derive(Clone, Debug)]
pub struct ConsistencyProof {
    /// The earlier signed checkpoint.
    pub from: (u64, String),
    /// The later one.
    pub to: (u64, String),
    /// The proof of RFC 6962.
    pub path: Vec<[u8; 32]>,
}

impl Audit<'_> {
    /// The proof that a record is in the journal: of the tree of a signed checkpoint, or of the newest one.
    pub async fn proof(
        &self,
        caller: &Caller,
        id: AuditId,
        tree_size: Option<u64>,
    ) -> Result<InclusionProof> {
        let entry = self.find(caller, "audit.proof", id).await?;
        let reader = self.core.store.identity().reader(caller.tenant());
        self.core.prove(&reader, entry, tree_size).await
    }

    /// The proof that the journal of one checkpoint continues that of another: of the oldest, and to the newest, where
    /// none is named.
    pub async fn consistency(
        &self,
        caller: &Caller,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<ConsistencyProof> {
        let permit = self.enter(caller, "audit.consistency").await?;
        let reader = self.core.store.reader(&permit);
        let to = self.core.checkpoint_of(&reader, to).await?;
        let oldest = reader
            .checkpoints_after(0, 1)
            .await
            .map_err(error::from_db)?;
        let oldest = oldest.first().map(|(size, ..)| *size);
        let from = self.core.checkpoint_of(&reader, from.or(oldest)).await?;
        if from.0 > to.0 {
            let detail = "`from` is larger than `to`: the journal grows.";
            return Err(Error::new(ErrorKind::InvalidParameter, detail).with_field(
                "#/from",
                "out_of_range",
                detail,
            ));
        }
        let stretches = consistency(from.0, to.0);
        let path = self.core.roots(&reader, stretches).await?;
        Ok(ConsistencyProof { from, to, path })
    }
}

impl Core {
    /// Proves a sealed entry.
    pub(crate) async fn prove(
        &self,
        reader: &Reader,
        entry: SealedEntry,
        tree_size: Option<u64>,
    ) -> Result<InclusionProof> {
        let (tree_size, note) = match tree_size {
            Some(_) => self.checkpoint_of(reader, tree_size).await?,
            None => self.checkpoint_over(reader, entry.sequence).await?,
        };
        let index = entry.sequence.saturating_sub(1);
        if index >= tree_size {
            let detail = "That checkpoint is older than the record.";
            return Err(Error::new(ErrorKind::InvalidParameter, detail).with_field(
                "#/tree_size",
                "out_of_range",
                detail,
            ));
        }
        let tenant = reader.tenant();
        let leaf = leaf_hash(&entry.entry.leaf_bytes(tenant));
        let path = self.roots(reader, inclusion(index, tree_size)).await?;
        let signed = checkpoint::open(&note, tenant, &self.signer.public_key());
        let root = led_to(leaf, (index, tree_size), &path);
        // What was tampered with is told as that, not handed out as a proof that proves nothing.
        match (signed, root) {
            (Some((size, signed)), Some(root)) if size == tree_size && signed == root => {
                Ok(InclusionProof {
                    entry,
                    leaf,
                    tree_size,
                    root,
                    path,
                    checkpoint: note,
                })
            }
            _ => Err(Error::internal(
                "the journal does not lead to its checkpoint; run `bailee audit verify`",
            )),
        }
    }

    /// The signed checkpoint of just this size, or the newest: size and note.
    async fn checkpoint_of(
        &self,
        reader: &Reader,
        tree_size: Option<u64>,
    ) -> Result<(u64, String)> {
        let Some(size) = tree_size else {
            return self.checkpoint_over(reader, 1).await;
        };
        let below = size.saturating_add(1).min(i64::MAX as u64);
        let found = reader.checkpoints(below, 1).await.map_err(error::from_db)?;
        let found = found.into_iter().find(|(found, ..)| *found == size);
        let (size, note, _) = found.ok_or_else(|| Error::not_found("checkpoint"))?;
        Ok((size, note))
    }

    /// The newest signed checkpoint if it covers a sequence, else one that is signed now.
    pub(crate) async fn checkpoint_over(
        &self,
        reader: &Reader,
        sequence: u64,
    ) -> Result<(u64, String)> {
        for _ in 0..RACES_MAX {
            let newest = reader.checkpoints(i64::MAX as u64, 1).await;
            let newest = newest.map_err(error::from_db)?.into_iter().next();
            if let Some((size, note, _)) = newest.filter(|(size, ..)| *size >= sequence) {
                return Ok((size, note));
            }
            let head = reader.journal_head().await.map_err(error::from_db)?;
            let Some(head) = head.filter(|head| head.size >= sequence) else {
                break;
            };
            let upkeep = Upkeep { core: self };
            upkeep.sign_tenant(reader.tenant(), &head).await?;
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "The journal is being sealed; ask again in a moment.",
        )
        .retry_after(1))
    }

    /// The roots of stretches of a journal.
    pub(crate) async fn roots(
        &self,
        reader: &Reader,
        stretches: Vec<Stretch>,
    ) -> Result<Vec<Hash>> {
        let mut roots = Vec::with_capacity(stretches.len());
        for stretch in stretches {
            let mut parts = Vec::new();
            for (level, ordinal) in subtrees(stretch) {
                parts.push(subtree(reader, level, ordinal).await?);
            }
            roots.push(folded(&parts));
        }
        Ok(roots)
    }

    /// The frontier of the tree of a journal's first `size` entries, largest subtree first.
    pub(crate) async fn frontier(&self, reader: &Reader, size: u64) -> Result<Vec<Hash>> {
        let mut parts = Vec::new();
        for (level, ordinal) in subtrees((0, size)) {
            parts.push(subtree(reader, level, ordinal).await?);
        }
        Ok(parts)
    }

    /// Waits a moment until an entry that was committed is sealed.
    pub(crate) async fn sealed(
        &self,
        tenant: TenantId,
        id: AuditId,
    ) -> Result<Option<SealedEntry>> {
        let reader = self.store.identity().reader(tenant);
        let mut changes = self.changes();
        let until = tokio::time::Instant::now() + bailee_model::limit::SEALED_WITHIN;
        loop {
            changes.borrow_and_update();
            let found = reader.entry(id).await.map_err(error::from_db)?;
            if found.is_some() || self.is_draining() {
                return Ok(found);
            }
            if tokio::time::timeout_at(until, changes.changed())
                .await
                .is_err()
            {
                return Ok(None);
            }
        }
    }
}

/// The root of a perfect subtree: as it is kept, or from its halves, or from its leaves. Journals that were begun before
/// subtrees were kept lack those.
fn subtree(
    reader: &Reader,
    level: u32,
    ordinal: u64,
) -> std::pin::Pin<Box<dyn Future<Output = Result<Hash>> + Send + '_>> {
    Box::pin(async move {
        if level >= NODE_LEVEL_MIN {
            let kept = reader.journal_node(level, ordinal).await;
            if let Some(root) = kept.map_err(error::from_db)?.and_then(|text| read(&text)) {
                return Ok(root);
            }
        }
        if level > NODE_LEVEL_MIN {
            let left = subtree(reader, level - 1, ordinal * 2).await?;
            let right = subtree(reader, level - 1, ordinal * 2 + 1).await?;
            return Ok(folded(&[left, right]));
        }
        let (after, count) = (ordinal << level, 1_u64 << level);
        let leaves = reader.journal_leaves(after, after + count).await;
        let leaves = leaves.map_err(error::from_db)?;
        let leaves: Option<Vec<Hash>> = leaves.iter().map(|text| read(text)).collect();
        let mut tree = crate::merkle::Frontier::new();
        for leaf in leaves.unwrap_or_default() {
            tree.append(leaf);
        }
        if tree.size() == count {
            Ok(tree.root())
        } else {
            Err(Error::internal("entries of the journal are missing"))
        }
    })
}

fn read(hex_text: &str) -> Option<Hash> {
    hex::decode(hex_text).ok()?.try_into().ok()
}
