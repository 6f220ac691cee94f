//! Copies the log into the database file, beside the writer.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;

use super::super::DbError;
use super::super::limit::{LOG_BYTES_HARD, LOG_BYTES_SOFT, LOG_FRAME_HEADER_BYTES, PAGE_BYTES};
use super::spawn;

/// The writer's end of the checkpoint thread.
pub(super) struct Checkpoint {
    nudges: Sender<()>,
    thread: JoinHandle<()>,
}

impl Checkpoint {
    /// Asks the thread to look at the log; if it is still at work, it will see soon enough.
    pub(super) fn nudge(&self) {
        let _ = self.nudges.try_send(());
    }

    /// Ends the thread and closes its connection.
    pub(super) fn finish(self) {
        drop(self.nudges);
        let _ = self.thread.join();
    }
}

pub(super) fn start(conn: Connection) -> Result<Checkpoint, DbError> {
    let (nudges, inbox) = bounded(1);
    let thread = spawn("bailee-checkpoint", move || work(&conn, &inbox))?;
    Ok(Checkpoint { nudges, thread })
}

fn work(conn: &Connection, inbox: &Receiver<()>) {
    while inbox.recv().is_ok() {
        if let Err(error) = look(conn) {
            // The log only grows meanwhile, and the next nudge tries again.
            tracing::warn!(error = %error, "the log of the database was not copied into it");
        }
    }
}

fn look(conn: &Connection) -> rusqlite::Result<()> {
    // NOOP copies nothing and returns the frames in the log and those already copied.
    let log = checkpoint(conn, "PRAGMA wal_checkpoint(NOOP)")?;
    if log.bytes() >= LOG_BYTES_HARD {
        // A passive checkpoint first does the bulk of the work without holding up the writer.
        checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)")?;
        checkpoint(conn, "PRAGMA wal_checkpoint(TRUNCATE)")?;
    } else if log.bytes_waiting() >= LOG_BYTES_SOFT {
        checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)")?;
    }
    Ok(())
}

struct Log {
    frames: u64,
    frames_copied: u64,
}

impl Log {
    fn bytes(&self) -> u64 {
        self.frames * (PAGE_BYTES + LOG_FRAME_HEADER_BYTES)
    }

    fn bytes_waiting(&self) -> u64 {
        self.frames.saturating_sub(self.frames_copied) * (PAGE_BYTES + LOG_FRAME_HEADER_BYTES)
    }
}

fn checkpoint(conn: &Connection, pragma: &str) -> rusqlite::Result<Log> {
    // Column 0 says whether it was kept from finishing by a reader: then the next nudge goes on. −1: no log yet.
    conn.query_row(pragma, [], |row| {
        let count = |column| {
            row.get::<_, i64>(column)
                .map(|frames| u64::try_from(frames).unwrap_or(0))
        };
        Ok(Log {
            frames: count(1)?,
            frames_copied: count(2)?,
        })
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    /// The thread relies on two properties of SQLite: NOOP counts without copying, PASSIVE copies.
    #[test]
    fn noop_counts_and_passive_copies() {
        let folder = std::env::temp_dir().join(format!("bailee-checkpoint-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let conn = Connection::open(folder.join("rows.db")).unwrap();
        conn.pragma_update(None, "journal_mode", "WAL").unwrap();
        conn.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        conn.execute_batch("CREATE TABLE a (b TEXT); INSERT INTO a VALUES ('c');")
            .unwrap();
        let log = checkpoint(&conn, "PRAGMA wal_checkpoint(NOOP)").unwrap();
        assert!(log.frames > 0 && log.frames_copied == 0 && log.bytes() == log.bytes_waiting());
        checkpoint(&conn, "PRAGMA wal_checkpoint(PASSIVE)").unwrap();
        assert_eq!(
            checkpoint(&conn, "PRAGMA wal_checkpoint(NOOP)")
                .unwrap()
                .bytes_waiting(),
            0
        );
        drop(conn);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
