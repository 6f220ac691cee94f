//! The files of a transfer that moves many: each a transfer of its own, hidden behind its parent.
//!
//! The parent's job lists the source and queues the files stretch by stretch; where it goes on is written with the
//! files, so that a crash neither loses nor doubles one. From then on it only looks now and then whether all ended, and
//! the last file makes it look at once.

use std::time::Duration;

use bailee_auth::{Action, Caller};
use bailee_model::{
    Bundle, End, Error, ErrorKind, FileCounts, JobKind, Lease, Outcome, Page, PageRequest, Result,
    TenantId, Transfer, TransferFault, TransferId, TransferOutcome, TransferState,
};
use bailee_store::{Change, DbError, Ended, Listed, conflict};

use super::shape::as_folder;
use super::{Transfers, transfer_facts};
use crate::journal::Note;
use crate::runs::{Runs, settle};
use crate::{Core, error};

/// How often a parent looks at its files though none made it.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How often it does while it ends them.
const LOOK_SOON: Duration = Duration::from_millis(500);
/// Files that are ended in one script.
const ENDED_AT_ONCE: u32 = 200;

/// A file that was found.
#[derive(Clone, Debug)]
pub struct FoundFile {
    /// Where it is.
    pub source: End,
    /// Where it goes.
    pub destination: End,
    /// Its size, where known.
    pub size_bytes: Option<u64>,
    /// Why it cannot be moved.
    pub fault: Option<TransferFault>,
}

/// Files that were found in one go.
#[derive(Clone, Debug, Default)]
pub struct FoundFiles {
    /// The files.
    pub files: Vec<FoundFile>,
    /// Where the listing goes on, in the engine's own words.
    pub place: serde_json::Value,
    /// Whether there are no more.
    pub is_last: bool,
    /// Why there are no more, if that was not the end.
    pub fault: Option<TransferFault>,
}

impl Transfers<'_> {
    /// The files of a transfer, in the order in which they were found; of one that moves a single file, that.
    pub async fn files(
        &self,
        caller: &Caller,
        id: TransferId,
        state: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<Transfer>> {
        let (permit, transfer) = self
            .find(caller, "transfers.files", Action::TransferRead, id)
            .await?;
        if transfer.counts.is_none() {
            let is_meant = state.is_none_or(|state| state == transfer.state.public());
            let data = is_meant.then_some(transfer).into_iter().collect();
            return Ok(Page { data, next: None });
        }
        let reader = self.core.store.reader(&permit);
        let found = reader.transfer_files(id, state, &page).await;
        found.map_err(error::from_db)
    }
}

impl Core {
    /// Counts a file that is in its final state now. One entry tells of it.
    pub(super) fn end_file(&self, change: &mut Change, file: &mut Transfer, parent: TransferId) {
        let is_good = file.state == TransferState::Completed;
        let total = file.bytes_total.unwrap_or(file.listed_bytes);
        let ended = Ended {
            done: i64::from(is_good && !file.is_skipped),
            skipped: i64::from(is_good && file.is_skipped),
            failed: i64::from(!is_good),
            more_bytes: signed(total) - signed(file.listed_bytes),
            done_bytes: if is_good { signed(total) } else { 0 },
        };
        change.end_file(parent, ended, self.clock.now());
        let entry = self.file_entry(file, parent);
        file.ended_entry = Some(entry.id);
        change.journal(&entry);
    }

    fn file_entry(&self, file: &Transfer, parent: TransferId) -> bailee_model::Entry {
        let status = if file.state == TransferState::Completed {
            Outcome::Success
        } else {
            Outcome::Error
        };
        let note = Note::record("transfers.file")
            .of_transfer(parent)
            .about(file.id)
            .ended(status)
            .with(transfer_facts(file));
        let mut entry = self.own_entry(note);
        entry.principal = Some(file.created_by);
        entry
    }

    /// Has the files of a transfer end: its job does it.
    pub(super) fn cancel_files(&self, change: &mut Change, transfer: &mut Transfer) {
        let now = self.clock.now();
        let subject = transfer.id.to_string();
        if transfer.state == TransferState::Paused {
            transfer.state = TransferState::Queued;
            let mut job = self.transfer_job(change.tenant(), transfer);
            job.run_at = now;
            change.drop_job(JobKind::RunTransfer, &subject);
            change.enqueue(&job);
        } else {
            change.hasten(JobKind::RunTransfer, &subject, now);
        }
    }

    fn file_of(&self, parent: &Transfer, found: FoundFile) -> Transfer {
        let now = self.clock.now();
        Transfer {
            id: TransferId::new(now, &*self.chance),
            state: TransferState::Queued,
            outcome: None,
            fault: None,
            source: found.source,
            destination: found.destination,
            retry_of: None,
            parent: Some(parent.id),
            counts: None,
            has_arrived: false,
            source_removed: None,
            proof: None,
            placed_at: None,
            notes: Vec::new(),
            ended_entry: None,
            listed_bytes: found.size_bytes.unwrap_or(0),
            cancel_requested: false,
            bytes_total: found.size_bytes,
            bytes_done: 0,
            attempt: 0,
            next_attempt_at: None,
            start_at: None,
            notify_on_completion: false,
            waits_for: None,
            result_file: None,
            hash: None,
            checkpoint: None,
            created_at: now,
            started_at: None,
            updated_at: now,
            finished_at: None,
            revision: 1,
            ..parent.clone()
        }
    }
}

impl Runs<'_> {
    /// What a transfer of many files lists, and where it goes on.
    pub async fn bundle(
        &self,
        tenant: TenantId,
        id: TransferId,
    ) -> Result<(Bundle, Option<serde_json::Value>)> {
        let reader = self.core.store.queue().reader(tenant);
        let found = reader.bundle(id).await.map_err(error::from_db)?;
        found.ok_or_else(|| Error::internal("a transfer of many files without its plan"))
    }

    /// Makes a transfer, whose source turned out to be a folder, one of many files.
    pub async fn make_bundle(&self, lease: &Lease, transfer: &mut Transfer) -> Result<()> {
        let bundle = Bundle {
            sources: vec![as_folder(&transfer.source)?],
            ..Bundle::default()
        };
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold(lease);
        change.insert_bundle(transfer.id, &bundle, self.core.clock.now());
        transfer.source = as_folder(&transfer.source)?;
        transfer.destination = as_folder(&transfer.destination)?;
        transfer.counts = Some(FileCounts::default());
        transfer.checkpoint = None;
        self.write(&mut change, transfer);
        settle(change.commit().await)
    }

    /// Queues files that were found, together with where the listing goes on.
    pub async fn add_files(
        &self,
        lease: &Lease,
        parent: &mut Transfer,
        found: FoundFiles,
    ) -> Result<()> {
        let now = self.core.clock.now();
        let tenant = lease.job.tenant;
        let mut change = self.core.store.queue().change(tenant);
        change.hold(lease);
        let mut listed = Listed {
            place: found.place,
            is_last: found.is_last,
            files: found.files.len() as u64,
            failed: 0,
            bytes: 0,
        };
        let mut written = parent.clone();
        written.state = TransferState::Moving;
        if found.is_last {
            written.fault = found.fault;
        }
        self.write(&mut change, &mut written);
        for found in found.files {
            let fault = found.fault.clone();
            let mut file = self.core.file_of(parent, found);
            listed.bytes += file.listed_bytes;
            if let Some(fault) = fault {
                listed.failed += 1;
                file.state = TransferState::Failed;
                file.outcome = Some(TransferOutcome::Error);
                file.fault = Some(fault);
                file.finished_at = Some(now);
                change.insert_transfer(&file);
                change.journal(&self.core.file_entry(&file, parent.id));
            } else {
                change.insert_transfer(&file);
                change.enqueue(&self.core.transfer_job(tenant, &file));
            }
        }
        change.list_files(parent.id, &listed, now);
        settle(change.commit().await)?;
        *parent = written;
        Ok(())
    }

    /// Ends a transfer of many files if all of them ended; else gives its job back until there is something to do.
    pub async fn end_if_over(&self, lease: &Lease, parent: &mut Transfer) -> Result<()> {
        let tenant = lease.job.tenant;
        *parent = self.reload(tenant, parent.id).await?;
        let counts = parent.counts.unwrap_or_default();
        let now = self.core.clock.now();
        if !counts.is_over() {
            let is_ending = parent.cancel_requested || is_late(parent, now);
            let wait = if is_ending { LOOK_SOON } else { LOOK_EVERY };
            let mut look = now.plus(wait);
            if let Some(deadline) = parent.deadline.filter(|deadline| *deadline > now) {
                look = look.min(deadline);
            }
            let mut change = self.core.store.queue().change(tenant);
            change.run_again(lease, look);
            change.wake_bundle(parent.id, now);
            return settle(change.commit().await);
        }
        let (outcome, fault) = self.result_of(tenant, parent).await?;
        self.end(lease, parent, outcome, fault).await
    }

    /// Ends the files that wait, as somebody wants the transfer to end or its time is over; files that run end by
    /// themselves.
    pub async fn end_files(
        &self,
        lease: &Lease,
        parent: &mut Transfer,
        (outcome, fault): (TransferOutcome, TransferFault),
    ) -> Result<()> {
        let tenant = lease.job.tenant;
        let queue = self.core.store.queue();
        if !parent.counts.unwrap_or_default().is_listed {
            let last = FoundFiles {
                is_last: true,
                fault: Some(fault.clone()),
                ..FoundFiles::default()
            };
            self.add_files(lease, parent, last).await?;
        }
        let mut page = PageRequest {
            limit: ENDED_AT_ONCE,
            after: None,
        };
        loop {
            let reader = queue.reader(tenant);
            let waiting = reader
                .transfer_files(parent.id, Some("queued"), &page)
                .await;
            let waiting = waiting.map_err(error::from_db)?;
            self.end_these(lease, waiting.data, outcome, &fault).await?;
            page.after = waiting.next;
            if page.after.is_none() {
                return Ok(());
            }
        }
    }

    /// All in one script; where one of them began in the meantime, each by itself.
    async fn end_these(
        &self,
        lease: &Lease,
        files: Vec<Transfer>,
        outcome: TransferOutcome,
        fault: &TransferFault,
    ) -> Result<()> {
        match self.try_to_end(lease, &files, outcome, fault).await {
            Err(DbError::Conflict(conflict::TRANSFER_REVISION)) => {}
            other => return settle(other),
        }
        for file in files {
            match self.try_to_end(lease, &[file], outcome, fault).await {
                Err(DbError::Conflict(conflict::TRANSFER_REVISION)) => {}
                other => settle(other)?,
            }
        }
        Ok(())
    }

    async fn try_to_end(
        &self,
        lease: &Lease,
        files: &[Transfer],
        outcome: TransferOutcome,
        fault: &TransferFault,
    ) -> std::result::Result<(), DbError> {
        if files.is_empty() {
            return Ok(());
        }
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold(lease);
        for file in files {
            let mut file = file.clone();
            self.core
                .end_transfer(&mut change, &mut file, outcome, Some(fault.clone()));
            self.write(&mut change, &mut file);
            change.drop_job(JobKind::RunTransfer, &file.id.to_string());
        }
        change.commit().await
    }

    /// How a transfer ends all of whose files ended.
    async fn result_of(
        &self,
        tenant: TenantId,
        parent: &Transfer,
    ) -> Result<(TransferOutcome, Option<TransferFault>)> {
        let counts = parent.counts.unwrap_or_default();
        if parent.cancel_requested {
            return Ok((TransferOutcome::Cancelled, Some(super::cancelled())));
        }
        if counts.files_failed == 0 && parent.fault.is_none() {
            return Ok((TransferOutcome::Succeeded, None));
        }
        let one = PageRequest {
            limit: 1,
            after: None,
        };
        let reader = self.core.store.queue().reader(tenant);
        let failed = reader.transfer_files(parent.id, Some("failed"), &one).await;
        let first = failed.map_err(error::from_db)?.data.pop();
        let of_first = |outcome| {
            first
                .as_ref()
                .is_some_and(|first| first.outcome == Some(outcome))
        };
        let is_told = |code: &str| {
            parent
                .fault
                .as_ref()
                .is_some_and(|fault| fault.code == code)
        };
        let outcome = if of_first(TransferOutcome::Expired) || is_told("deadline_exceeded") {
            TransferOutcome::Expired
        } else if counts.files_done + counts.files_skipped > 0 {
            TransferOutcome::Partial
        } else if of_first(TransferOutcome::Rejected) || is_told("policy_denied") {
            TransferOutcome::Rejected
        } else {
            TransferOutcome::Error
        };
        Ok((outcome, Some(fault_of(parent, first.as_ref()))))
    }

    /// Puts the job of a file aside whose parent is paused, unless that changes at the same moment.
    pub(crate) async fn put_aside(&self, lease: &Lease, parent: &Transfer) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold_transfer(parent);
        change.run_again(lease, bailee_store::aside(self.core.clock.now()));
        match settle(change.commit().await) {
            Err(error) if error.kind() == ErrorKind::StateConflict => self.hand_back(lease).await,
            other => other,
        }
    }
}

pub(crate) fn is_late(transfer: &Transfer, now: bailee_model::Timestamp) -> bool {
    transfer.deadline.is_some_and(|deadline| now >= deadline)
}

/// Why not all of it arrived: what ended the listing, or how many files failed and what the first of them met.
fn fault_of(parent: &Transfer, first: Option<&Transfer>) -> TransferFault {
    let counts = parent.counts.unwrap_or_default();
    let of_first = first.and_then(|first| first.fault.clone());
    let how_many = format!(
        "{} of {} files did not arrive",
        counts.files_failed, counts.files_total
    );
    match (parent.fault.clone(), of_first) {
        (Some(fault), _) if counts.files_failed == 0 => fault,
        (Some(fault), _) => TransferFault {
            message: format!("{} Besides, {how_many}.", fault.message),
            ..fault
        },
        (None, Some(fault)) => TransferFault {
            message: format!("{how_many}. The first: {}", fault.message),
            hint: Some(
                "See each file with `bailee transfer files`; repeat those alone with `bailee transfer retry --failed`."
                    .to_owned(),
            ),
            code: fault.code,
        },
        (None, None) => TransferFault {
            code: "internal_error".to_owned(),
            message: format!("{how_many}."),
            hint: None,
        },
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
