//! The files of a SQLite database: `<path>`, its log `<path>-wal`, and `<path>.lock`.
//!
//! The lock file says which process holds the database, by an advisory lock, and by its text whether the database was
//! closed in order. If it was not, the log holds commits that are nowhere else, and a missing log means a loss.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::super::DbError;
use super::super::limit::{PAGE_BYTES, STATEMENTS_CACHED_MAX};
use super::convert::failure;

const OPEN: &str = "open\n";
const CLOSED: &str = "closed\n";

/// The right to use the database files; it ends when this is dropped.
pub(super) struct Home {
    path: PathBuf,
    lock: File,
}

impl Home {
    /// Locks the database and checks that its files belong together.
    pub(super) fn take(path: &Path, create: bool) -> Result<Self, DbError> {
        if !create && !path.exists() {
            return Err(DbError::Refused(format!(
                "there is no database at {}",
                path.display()
            )));
        }
        let lock_path = beside(path, ".lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options
            .open(&lock_path)
            .map_err(|error| refused(&lock_path, &error))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
            DbError::Refused(if error == Errno::WOULDBLOCK {
                format!("another process uses {}; stop it first", path.display())
            } else {
                format!("{} cannot be locked: {error}", lock_path.display())
            })
        })?;
        let home = Self {
            path: path.to_owned(),
            lock,
        };
        home.check_files()?;
        Ok(home)
    }

    fn check_files(&self) -> Result<(), DbError> {
        let has_log = beside(&self.path, "-wal").exists();
        let mark = self.mark()?;
        if !self.path.exists() {
            if has_log || !mark.is_empty() {
                return Err(DbError::Refused(format!(
                    "{} was here before and is gone. Restore it; or, to begin with nothing, remove what lies beside it",
                    self.path.display()
                )));
            }
            return self.make();
        }
        if mark == OPEN && !has_log {
            return Err(DbError::Refused(format!(
                "the log of {} is missing: commits may be lost. Restore it; or, if this is a whole copy from a backup, \
                 remove the .lock file",
                self.path.display()
            )));
        }
        Ok(())
    }

    /// An empty file is an empty database; its log and index get the same access rights.
    fn make(&self) -> Result<(), DbError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&self.path)
            .map(|_| ())
            .map_err(|error| refused(&self.path, &error))
    }

    fn mark(&self) -> Result<String, DbError> {
        let mut file = &self.lock;
        let mut text = String::new();
        file.rewind()
            .and_then(|()| file.read_to_string(&mut text))
            .map_err(|error| refused(&self.path, &error))?;
        Ok(text)
    }

    fn set_mark(&self, mark: &str) -> Result<(), DbError> {
        let mut file = &self.lock;
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(mark.as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(|error| refused(&self.path, &error))
    }

    /// A connection with the settings that every one of ours has.
    pub(super) fn connect(&self, busy_wait: Duration) -> Result<Connection, DbError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn =
            Connection::open_with_flags(&self.path, flags).map_err(|error| failure(&error))?;
        conn.busy_timeout(busy_wait)
            .map_err(|error| failure(&error))?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
        // Plans depend on the text alone. Without this SQLite looks at the values bound to LIMIT and LIKE, and for that
        // parses and plans such a statement again each time it is used.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(|error| failure(&error))?;
        // `synchronous=NORMAL` syncs at checkpoints; commits are synced by the sync thread before they are
        // acknowledged. Checkpoints run in a thread of their own.
        for (name, value) in [
            ("synchronous", "NORMAL"),
            ("foreign_keys", "ON"),
            ("trusted_schema", "OFF"),
            ("wal_autocheckpoint", "0"),
            ("temp_store", "MEMORY"),
            ("cache_size", "-8192"),
        ] {
            conn.pragma_update(None, name, value)
                .map_err(|error| failure(&error))?;
        }
        Ok(conn)
    }

    /// Sets what belongs to the database rather than to a connection.
    pub(super) fn prepare(&self, conn: &Connection) -> Result<(), DbError> {
        conn.pragma_update(None, "page_size", PAGE_BYTES.cast_signed())
            .map_err(|error| failure(&error))?;
        let mode: String = conn
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(|error| failure(&error))?;
        if mode == "wal" {
            Ok(())
        } else {
            Err(DbError::Refused(format!(
                "{} cannot have a write-ahead log here",
                self.path.display()
            )))
        }
    }

    /// The log, for the sync thread. Its folder entry is made durable first, then the mark is set: from here on a
    /// missing log is a loss.
    ///
    /// Opening and closing the log beside SQLite is harmless; the file locks that a close would drop are held on the
    /// other two files.
    pub(super) fn open_log(&self, conn: &Connection) -> Result<File, DbError> {
        // The first reading transaction makes the log.
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })
        .map_err(|error| failure(&error))?;
        let log_path = beside(&self.path, "-wal");
        let log = File::open(&log_path).map_err(|error| refused(&log_path, &error))?;
        self.sync_folder()?;
        self.set_mark(OPEN)?;
        Ok(log)
    }

    fn sync_folder(&self) -> Result<(), DbError> {
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| refused(folder, &error))
    }

    /// Empties the log into the database and marks it as closed; the last connection may remove the log then.
    pub(super) fn leave(&self, conn: &Connection) -> Result<(), DbError> {
        let is_busy: i64 = conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|error| failure(&error))?;
        if is_busy == 0 {
            self.set_mark(CLOSED)
        } else {
            Ok(())
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn refused(path: &Path, error: &std::io::Error) -> DbError {
    DbError::Refused(format!("{}: {error}", path.display()))
}
