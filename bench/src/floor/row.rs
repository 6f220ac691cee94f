//! One row a file in SQLite. A single thread commits for all who wait and syncs the log once for each batch.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

/// Rows of one transaction.
const BATCH_MAX: usize = 512;
/// Rows that wait for the next one.
const WAITING_MAX: usize = 1024;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

const SCHEMA: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-65536;
CREATE TABLE file (name TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, digest BLOB NOT NULL, number INTEGER NOT NULL, content BLOB) WITHOUT ROWID;";
const WRITE: &str = "INSERT INTO file (name, size_bytes, digest, number, content) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (name) DO UPDATE SET size_bytes = excluded.size_bytes, digest = excluded.digest, number = excluded.number, content = excluded.content";
const READ: &str = "SELECT size_bytes, number, content FROM file WHERE name = ?1";

/// A file as the database has it.
pub struct Row {
    /// The request's target.
    pub name: String,
    /// Plain bytes.
    pub size_bytes: u64,
    /// Their SHA-256.
    pub digest: Vec<u8>,
    /// Its number among the blobs.
    pub number: u64,
    /// The sealed bytes of a small one.
    pub content: Option<Vec<u8>>,
}

/// What a reader needs.
pub struct Found {
    pub size_bytes: u64,
    pub number: u64,
    pub content: Option<Vec<u8>>,
}

struct Wish {
    row: Row,
    answer: Sender<Result<(), String>>,
}

/// The table.
pub struct Rows {
    path: PathBuf,
    wishes: Sender<Wish>,
    readers: Mutex<Vec<Connection>>,
}

impl Rows {
    /// Makes the database and starts its writer.
    pub fn create(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch(SCHEMA)?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = File::options().write(true).open(log).context("no log")?;
        let (wishes, waiting) = bounded(WAITING_MAX);
        std::thread::Builder::new().spawn(move || write_all(&connection, &log, &waiting))?;
        Ok(Self {
            path: path.to_owned(),
            wishes,
            readers: Mutex::new(Vec::new()),
        })
    }

    /// Returns when the row is on disk.
    pub fn write(&self, row: Row) -> Result<()> {
        let (answer, answered) = bounded(1);
        self.wishes.send(Wish { row, answer })?;
        answered.recv()?.map_err(|error| anyhow!(error))
    }

    /// Looks a name up.
    pub fn find(&self, name: &str) -> Result<Option<Found>> {
        let idle = self.readers.lock().ok().and_then(|mut idle| idle.pop());
        let reader = match idle {
            Some(reader) => reader,
            None => self.reader()?,
        };
        let found = reader
            .prepare_cached(READ)?
            .query_row([name], |row| {
                Ok(Found {
                    size_bytes: row.get::<_, i64>(0)? as u64,
                    number: row.get::<_, i64>(1)? as u64,
                    content: row.get(2)?,
                })
            })
            .optional()?;
        if let Ok(mut idle) = self.readers.lock() {
            idle.push(reader);
        }
        Ok(found)
    }

    fn reader(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(&self.path, flags)?;
        reader.busy_timeout(BUSY_TIMEOUT)?;
        Ok(reader)
    }
}

fn write_all(connection: &Connection, log: &File, waiting: &Receiver<Wish>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(BATCH_MAX - 1));
        let result = write_batch(connection, log, &batch).map_err(|error| format!("{error:#}"));
        for wish in batch {
            // Whoever has gone needs no answer.
            let _ = wish.answer.send(result.clone());
        }
    }
}

/// Commits without a sync, then syncs the log: the same as `synchronous=FULL`, by fdatasync.
fn write_batch(connection: &Connection, log: &File, batch: &[Wish]) -> Result<()> {
    let transaction = connection.unchecked_transaction()?;
    {
        let mut statement = transaction.prepare_cached(WRITE)?;
        for Wish { row, .. } in batch {
            statement.execute(params![
                row.name,
                row.size_bytes as i64,
                row.digest,
                row.number as i64,
                row.content
            ])?;
        }
    }
    transaction.commit()?;
    log.sync_data()?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_as_it_was_last_written() {
        let folder = tempfile::tempdir().unwrap();
        let rows = Rows::create(&folder.path().join("floor.db")).unwrap();
        for number in [1, 2] {
            rows.write(Row {
                name: "/a".to_owned(),
                size_bytes: number * 10,
                digest: vec![0; 32],
                number,
                content: None,
            })
            .unwrap();
        }
        let found = rows.find("/a").unwrap().unwrap();
        assert_eq!((found.size_bytes, found.number), (20, 2));
        assert!(found.content.is_none() && rows.find("/b").unwrap().is_none());
    }
}
