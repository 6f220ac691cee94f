//! The journal as auditors read it, and its verification.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{AuditId, Error, Page, PageRequest, Result, SealedEntry, TenantId, Timestamp};
use bailee_store::{AuditFilter, Reader};

use crate::events::shown;
use crate::gate::Ask;
use crate::merkle::{Frontier, leaf_hash};
use crate::{Core, checkpoint, error};

/// Entries read at once by a verification.
const WALK_STEP: u32 = 1000;

/// The journal of the caller's tenant.
pub struct Audit<'a> {
    pub(crate) core: &'a Core,
}

/// The first thing in a journal that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalFault {
    /// The sequence at or before which something was changed.
    pub sequence: u64,
    /// What does not fit.
    pub reason: String,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyJournal {
    /// Whether everything fits.
    pub ok: bool,
    /// Entries read.
    pub records: u64,
    /// Entries sealed, by the journal's head.
    pub tree_size: u64,
    /// Merkle root over the entries read, lower-case hex.
    pub root: String,
    /// The first fault.
    pub first_bad: Option<JournalFault>,
    /// The newest signed checkpoint.
    pub checkpoint: Option<String>,
}

impl Audit<'_> {
    /// Audit records, newest first. A key that is bound to paths sees what is about them, and what it did, as in the
    /// event feed.
    pub async fn search(
        &self,
        caller: &Caller,
        filter: AuditFilter,
        page: PageRequest,
    ) -> Result<Page<SealedEntry>> {
        let permit = self.enter(caller, "audit.search").await?;
        let reader = self.core.store.reader(&permit);
        let found = reader.audit(&filter, &page).await;
        let found = found.map_err(error::from_db)?;
        Ok(Page {
            data: shown(caller, &reader, found.data).await?,
            next: found.next,
        })
    }

    /// One audit record.
    pub async fn get(&self, caller: &Caller, id: AuditId) -> Result<SealedEntry> {
        self.find(caller, "audit.get", id).await
    }

    pub(crate) async fn find(
        &self,
        caller: &Caller,
        operation: &'static str,
        id: AuditId,
    ) -> Result<SealedEntry> {
        let permit = self.enter(caller, operation).await?;
        let reader = self.core.store.reader(&permit);
        let found = reader.entry(id).await.map_err(error::from_db)?;
        let mut seen = shown(caller, &reader, found.into_iter().collect()).await?;
        seen.pop().ok_or_else(|| Error::not_found("audit record"))
    }

    /// Reads the whole journal, recomputes every hash and compares it with the head and every signed checkpoint.
    pub async fn verify(&self, caller: &Caller) -> Result<VerifyJournal> {
        let permit = self.enter(caller, "audit.verify").await?;
        self.core
            .verify_journal(&self.core.store.reader(&permit))
            .await
    }

    /// Signed checkpoints below a tree size, newest first: size, note, time.
    pub async fn checkpoints(
        &self,
        caller: &Caller,
        below: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String, Timestamp)>> {
        let permit = self.enter(caller, "audit.checkpoints").await?;
        self.core
            .store
            .reader(&permit)
            .checkpoints(below, limit)
            .await
            .map_err(error::from_db)
    }

    /// The verifier key of checkpoints, public: C2SP form, and the 32 bytes.
    pub fn keys(&self) -> (String, Vec<u8>) {
        (self.core.signer.verifier(), self.core.signer.public_key())
    }

    pub(crate) async fn enter(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        let ask = Ask {
            operation,
            action: Action::AuditRead,
            resource: &Resource::Tenant,
            what: "audit record",
        };
        self.core.enter(caller, ask).await
    }
}

impl Core {
    /// Verifies the journal of any tenant, for whoever holds the installation's files: `bailee audit verify`.
    pub async fn verify_journal_of(&self, tenant: TenantId) -> Result<VerifyJournal> {
        self.verify_journal(&self.store.queue().reader(tenant))
            .await
    }

    pub(crate) async fn verify_journal(&self, reader: &Reader) -> Result<VerifyJournal> {
        let head = reader.journal_head().await.map_err(error::from_db)?;
        let head = head.ok_or_else(|| Error::internal("the journal has no head"))?;
        let mut walk = Walk {
            tenant: reader.tenant(),
            public_key: self.signer.public_key(),
            frontier: Frontier::new(),
            checkpoints: Vec::new(),
            last_checkpoint: 0,
            fault: None,
        };
        while walk.fault.is_none() && walk.frontier.size() < head.size {
            let rows = reader
                .walk(walk.frontier.size(), WALK_STEP)
                .await
                .map_err(error::from_db)?;
            // Nothing, or nothing up to the head: its last entries are gone.
            if rows
                .first()
                .is_none_or(|(sealed, _)| sealed.sequence > head.size)
            {
                break;
            }
            walk.load_checkpoints(reader).await?;
            for (sealed, leaf) in &rows {
                if walk.fault.is_some() || sealed.sequence > head.size {
                    break;
                }
                walk.take(sealed, leaf);
            }
        }
        walk.load_checkpoints(reader).await?;
        let beyond = reader.walk(head.size, 1).await.map_err(error::from_db)?;
        // Read last: entries and checkpoints that came since the walk began are covered by it.
        let newest = reader.journal_head().await.map_err(error::from_db)?;
        let newest_size = newest.map_or(0, |newest| newest.size);
        walk.check_end(head.size, &head.frontier, newest_size);
        if walk.fault.is_none()
            && beyond
                .iter()
                .any(|(sealed, _)| sealed.sequence > newest_size)
        {
            walk.blame(
                newest_size + 1,
                "an entry was inserted past the journal's head",
            );
        }
        let newest = reader
            .checkpoints(i64::MAX as u64, 1)
            .await
            .map_err(error::from_db)?;
        Ok(VerifyJournal {
            ok: walk.fault.is_none(),
            records: walk.frontier.size(),
            tree_size: head.size,
            root: hex::encode(walk.frontier.root()),
            first_bad: walk.fault,
            checkpoint: newest.into_iter().next().map(|(_, note, _)| note),
        })
    }
}

struct Walk {
    tenant: TenantId,
    public_key: Vec<u8>,
    frontier: Frontier,
    /// Checkpoints ahead, smallest last.
    checkpoints: Vec<(u64, String)>,
    /// The largest checkpoint that was loaded.
    last_checkpoint: u64,
    fault: Option<JournalFault>,
}

impl Walk {
    async fn load_checkpoints(&mut self, reader: &Reader) -> Result<()> {
        if self.checkpoints.is_empty() {
            let next = reader
                .checkpoints_after(self.last_checkpoint, WALK_STEP)
                .await
                .map_err(error::from_db)?;
            self.last_checkpoint = next.last().map_or(self.last_checkpoint, |(size, ..)| *size);
            self.checkpoints = next
                .into_iter()
                .rev()
                .map(|(size, note, _)| (size, note))
                .collect();
        }
        Ok(())
    }

    fn take(&mut self, sealed: &SealedEntry, stored_leaf: &str) {
        let expected = self.frontier.size() + 1;
        if sealed.sequence != expected {
            return self.blame(expected, "an entry was deleted or moved");
        }
        let leaf = leaf_hash(&sealed.entry.leaf_bytes(self.tenant));
        if hex::encode(leaf) != stored_leaf {
            return self.blame(expected, "an entry was edited or swapped");
        }
        self.frontier.append(leaf);
        if let Some((size, note)) = self.checkpoints.pop_if(|(size, _)| *size == expected) {
            match checkpoint::open(&note, self.tenant, &self.public_key) {
                Some((signed, root)) if signed == size && root == self.frontier.root() => {}
                Some(_) => self.blame(size, "entries up to here differ from the signed checkpoint"),
                None => self.blame(size, "the checkpoint's signature is not good"),
            }
        }
    }

    fn check_end(&mut self, head_size: u64, head_frontier: &str, newest_size: u64) {
        let read = self.frontier.size();
        if self.fault.is_some() {
            return;
        }
        let is_ahead = |size: u64| size > newest_size || (read < head_size && size > read);
        if self.checkpoints.iter().any(|(size, _)| is_ahead(*size)) {
            return self.blame(
                read + 1,
                "the tail was cut: a signed checkpoint covers more entries",
            );
        }
        if head_size > read {
            return self.blame(
                read + 1,
                "the tail was cut: the journal's head counts more entries",
            );
        }
        if self.frontier.to_text() != head_frontier {
            self.blame(read, "the entries differ from the journal's head");
        }
    }

    fn blame(&mut self, sequence: u64, reason: &str) {
        self.fault = Some(JournalFault {
            sequence,
            reason: reason.to_owned(),
        });
    }
}
