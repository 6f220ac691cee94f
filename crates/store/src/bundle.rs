//! Transfers of many files: what they list, how far, and how their files stand.
//!
//! The counts change by the same script that ends a file, so that they are right after any crash. Whoever finds that
//! all ended is the transfer's own job: the last file makes it due.

use bailee_model::{Bundle, FileCounts, JobKind, Timestamp, Transfer, TransferId};
use serde::de::DeserializeOwned;

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, Row, values};

statements! {
    INSERT: tenant = "INSERT INTO bundle (tenant_id, id, plan, is_listed, files_total, files_done, files_skipped, \
        files_failed, bytes_total, bytes_done, updated_at) VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, 0, $4)";
    LISTED: tenant = "UPDATE bundle SET place = $3, is_listed = $4, files_total = files_total + $5, \
        files_failed = files_failed + $6, bytes_total = bytes_total + $7, updated_at = $8 \
        WHERE tenant_id = $1 AND id = $2 AND is_listed = 0";
    ENDED: tenant = "UPDATE bundle SET files_done = files_done + $3, files_skipped = files_skipped + $4, \
        files_failed = files_failed + $5, bytes_total = bytes_total + $6, bytes_done = bytes_done + $7, updated_at = $8 \
        WHERE tenant_id = $1 AND id = $2";
    WAKE: tenant = "UPDATE job SET run_at = $4 WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND owner IS NULL \
        AND run_at > $4 AND EXISTS (SELECT 1 FROM bundle WHERE tenant_id = $1 AND id = $3 AND is_listed = 1 \
        AND files_done + files_skipped + files_failed >= files_total)";
    SHIFT: tenant = "UPDATE job SET run_at = run_at + $4 WHERE tenant_id = $1 AND kind = $2 AND owner IS NULL \
        AND run_at >= $5 AND run_at < $6 \
        AND subject IN (SELECT id FROM transfer WHERE tenant_id = $1 AND parent_id = $3)";
    PLAN: tenant = "SELECT plan, place FROM bundle WHERE tenant_id = $1 AND id = $2";
}

/// The conflict of [`Change::list_files`]: all was listed already.
pub const LISTED_ALREADY: &str = "bundle_listed";

/// How long a job is put aside while its parent is paused: longer than anybody waits.
const ASIDE_MS: i64 = 1 << 47;

/// What the end of a file adds to its parent's counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    /// 1 if it arrived.
    pub done: i64,
    /// 1 if it did not need to move.
    pub skipped: i64,
    /// 1 if it did not arrive.
    pub failed: i64,
    /// How many bytes more it had than was listed.
    pub more_bytes: i64,
    /// Its bytes, if it arrived.
    pub done_bytes: i64,
}

/// What a stretch of a listing adds.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Where the next stretch begins.
    pub place: serde_json::Value,
    /// Whether there is none.
    pub is_last: bool,
    /// Files found.
    pub files: u64,
    /// Of these, files that cannot be moved.
    pub failed: u64,
    /// Their bytes, where known.
    pub bytes: u64,
}

impl Change {
    /// Makes a transfer one of many files.
    pub fn insert_bundle(&mut self, id: TransferId, bundle: &Bundle, now: Timestamp) -> &mut Self {
        self.add(INSERT, values![id, json(bundle), now], Guard::One, "bundle")
    }

    /// Counts files that were found, and keeps where the listing goes on; the conflict is [`LISTED_ALREADY`].
    pub fn list_files(&mut self, id: TransferId, listed: &Listed, now: Timestamp) -> &mut Self {
        let row = values![
            id,
            json(&listed.place),
            listed.is_last,
            listed.files,
            listed.failed,
            listed.bytes,
            now
        ];
        self.add(LISTED, row, Guard::One, LISTED_ALREADY)
    }

    /// Counts a file that ended, and makes the parent's job due if it was the last.
    pub fn end_file(&mut self, parent: TransferId, ended: Ended, now: Timestamp) -> &mut Self {
        let row = values![
            parent,
            ended.done,
            ended.skipped,
            ended.failed,
            ended.more_bytes,
            ended.done_bytes,
            now
        ];
        self.add(ENDED, row, Guard::One, "bundle");
        self.wake_bundle(parent, now)
    }

    /// Makes the job of a transfer of many files due if all of them ended.
    pub fn wake_bundle(&mut self, id: TransferId, now: Timestamp) -> &mut Self {
        let row = values![JobKind::RunTransfer.as_str(), id.to_string(), now];
        self.add(WAKE, row, Guard::Any, "job")
    }

    /// Puts the waiting jobs of a transfer's files aside, as it is paused.
    pub fn put_files_aside(&mut self, parent: TransferId) -> &mut Self {
        self.shift_files(parent, ASIDE_MS, (i64::MIN, ASIDE_MS))
    }

    /// Brings them back, each for its own time.
    pub fn bring_files_back(&mut self, parent: TransferId) -> &mut Self {
        self.shift_files(parent, -ASIDE_MS, (ASIDE_MS, i64::MAX))
    }

    fn shift_files(&mut self, parent: TransferId, by_ms: i64, (from, to): (i64, i64)) -> &mut Self {
        let kind = JobKind::RunTransfer.as_str();
        let row = values![kind, parent.to_string(), by_ms, from, to];
        self.add(SHIFT, row, Guard::Any, "job")
    }
}

impl Reader {
    /// What a transfer of many files lists, and where it goes on.
    pub async fn bundle(
        &self,
        id: TransferId,
    ) -> Result<Option<(Bundle, Option<serde_json::Value>)>, DbError> {
        let row = self.row(PLAN, values![id]).await?;
        row.map(|row| Ok((from_json(&row, 0)?, opt_json(&row, 1)?)))
            .transpose()
    }
}

/// When a job that is put aside would be due: far from any time that a clock tells.
pub fn aside(run_at: Timestamp) -> Timestamp {
    Timestamp::from_ms(run_at.ms().saturating_add(ASIDE_MS))
}

/// A transfer from its row: its body, and its counts where it moves many files.
pub(crate) fn with_counts(row: &Row) -> Result<Transfer, DbError> {
    let mut transfer: Transfer = from_json(row, 0)?;
    transfer.counts = match row.opt_int(1)? {
        None => None,
        Some(is_listed) => Some(FileCounts {
            is_listed: is_listed != 0,
            files_total: row.uint(2)?,
            files_done: row.uint(3)?,
            files_skipped: row.uint(4)?,
            files_failed: row.uint(5)?,
            bytes_total: row.uint(6)?,
            bytes_done: row.uint(7)?,
            updated_at: row.time(8)?,
        }),
    };
    Ok(transfer)
}

fn opt_json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>, DbError> {
    if row.opt_text(column)?.is_none() {
        return Ok(None);
    }
    from_json(row, column).map(Some)
}
