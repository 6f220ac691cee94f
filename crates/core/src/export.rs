//! Exports of the journal: every entry from a place on, with what it takes to prove that none is missing or changed.

use bailee_auth::Caller;
use bailee_model::{Error, ErrorKind, Result, SealedEntry, TenantId};
use bailee_store::Reader;

use crate::audit::Audit;
use crate::error;
use crate::journal::Note;

/// Entries read at once.
const EXPORT_STEP: u32 = 500;

/// A journal on its way out.
pub struct JournalExport {
    reader: Reader,
    /// Whose journal.
    pub tenant: TenantId,
    /// The sequence before the first entry.
    pub after: u64,
    /// The last sequence: the size of the tree of a signed checkpoint.
    pub last: u64,
    /// The roots of the perfect subtrees of what comes before, largest first.
    pub frontier: Vec<[u8; 32]>,
    /// The key of the checkpoints.
    pub key: String,
    at: u64,
}

/// One line of an export.
#[derive(Clone, Debug)]
pub enum ExportLine {
    /// An entry, and the hash of its leaf as it is stored.
    Entry(Box<SealedEntry>, String),
    /// A signed checkpoint of all entries until here.
    Checkpoint(String),
}

impl Audit<'_> {
    /// Begins an export of the entries behind `after`, up to the newest checkpoint, which is signed now if need be. A
    /// key that is bound to paths sees a part of the journal only, and a part cannot be proven.
    pub async fn export(&self, caller: &Caller, after: u64) -> Result<JournalExport> {
        let permit = self.enter(caller, "audit.export").await?;
        if !caller.path_prefixes().is_empty() {
            let detail = "A key that is bound to paths sees a part of the journal; only the whole can be exported.";
            return Err(Error::new(ErrorKind::PolicyDenied, detail).decided_by(permit.decision()));
        }
        let reader = self.core.store.reader(&permit);
        let head = reader.journal_head().await.map_err(error::from_db)?;
        let size = head.map_or(0, |head| head.size);
        if after > size {
            let detail = format!("The journal has {size} records.");
            return Err(
                Error::new(ErrorKind::InvalidParameter, detail.clone()).with_field(
                    "#/after",
                    "out_of_range",
                    detail,
                ),
            );
        }
        let (last, _) = self.core.checkpoint_over(&reader, size.max(1)).await?;
        let frontier = self.core.frontier(&reader, after).await?;
        let note =
            Note::record("audit.export").with(serde_json::json!({ "after": after, "last": last }));
        let mut change = self.core.store.aside(&permit);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit_logged().await.map_err(error::from_db)?;
        Ok(JournalExport {
            tenant: reader.tenant(),
            reader,
            after,
            last,
            frontier,
            key: self.core.signer.verifier(),
            at: after,
        })
    }
}

impl JournalExport {
    /// The next lines; none at the end. What is missing in the journal ends it with an error.
    pub async fn next(&mut self) -> Result<Vec<ExportLine>> {
        if self.at >= self.last {
            return Ok(Vec::new());
        }
        let rows = self.reader.walk(self.at, EXPORT_STEP).await;
        let mut rows = rows.map_err(error::from_db)?;
        rows.retain(|(sealed, _)| sealed.sequence <= self.last);
        let Some((end, _)) = rows.last() else {
            return Err(Error::internal("entries of the journal are missing"));
        };
        let end = end.sequence;
        let notes = self.reader.checkpoints_after(self.at, EXPORT_STEP).await;
        let notes = notes.map_err(error::from_db)?;
        let mut notes = notes.into_iter().peekable();
        let mut lines = Vec::with_capacity(rows.len());
        for (sealed, leaf) in rows {
            let sequence = sealed.sequence;
            lines.push(ExportLine::Entry(Box::new(sealed), leaf));
            while let Some((_, note, _)) = notes.next_if(|(size, ..)| *size <= sequence) {
                lines.push(ExportLine::Checkpoint(note));
            }
        }
        self.at = end;
        Ok(lines)
    }
}
