//! The bounds of this layer, each with its reason.

use std::time::Duration;

/// Most scripts one SQLite transaction carries; bounds how long one commit can take.
pub(super) const BATCH_SCRIPTS_MAX: usize = 256;
/// Most scripts that wait for the SQLite writer; more callers wait their turn without being queued.
pub(super) const WRITE_QUEUE_MAX: usize = 1024;
/// Most fetches that wait for the SQLite readers.
pub(super) const READ_QUEUE_MAX: usize = 1024;
/// Most SQLite connections on which callers' threads read a few rows themselves; more threads than these share the
/// readers' queue, so that memory does not grow with the machine.
pub(super) const NEAR_CONNECTIONS_MAX: usize = 8;
/// Most rows that a caller's thread reads itself; what turns out to be longer goes to the readers.
pub(super) const NEAR_ROWS_MAX: usize = 64;
/// Most committed batches that wait for the sync thread before the writer waits for it.
pub(super) const SYNC_QUEUE_MAX: usize = 64;
/// Most rows one fetch returns; whoever needs more asks in pages.
pub(super) const FETCH_ROWS_MAX: usize = 20_000;
/// Most statements of one script.
pub(super) const SCRIPT_STATEMENTS_MAX: usize = 4096;
/// How long a SQLite connection waits for a lock of another connection of this process.
pub(super) const SQLITE_BUSY_WAIT: Duration = Duration::from_secs(10);
/// How long a truncating checkpoint may hold up the writer while it waits for readers; well below [`SQLITE_BUSY_WAIT`].
pub(super) const CHECKPOINT_WAIT: Duration = Duration::from_secs(2);
/// Prepared statements kept by each connection.
pub(super) const STATEMENTS_CACHED_MAX: usize = 256;
/// The log is copied into the database file when it holds this many bytes that are not copied yet.
pub(super) const LOG_BYTES_SOFT: u64 = 16 * 1024 * 1024;
/// Past this size of the log readers are made to wait once, so that it can start over.
pub(super) const LOG_BYTES_HARD: u64 = 256 * 1024 * 1024;
/// The writer looks at the size of the log after this many batches.
pub(super) const CHECKPOINT_BATCHES: u32 = 64;
/// Bytes of a frame's header in SQLite's log.
pub(super) const LOG_FRAME_HEADER_BYTES: u64 = 24;
/// Bytes of a page of a new database.
pub(super) const PAGE_BYTES: u64 = 4096;
/// How often a PostgreSQL script is tried in all when it loses against others.
pub(super) const SCRIPT_TRIES_MAX: u32 = 6;
/// The longest first pause between two tries; it doubles with each try.
pub(super) const RETRY_PAUSE_FIRST: Duration = Duration::from_millis(8);
/// Statements that are sent to PostgreSQL before their answers are awaited.
pub(super) const PIPELINE_MAX: usize = 24;
/// How long a caller waits for a free PostgreSQL connection.
pub(super) const CONNECTION_WAIT: Duration = Duration::from_secs(10);
/// How long making a PostgreSQL connection may take.
pub(super) const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// Commits of this node are told to other nodes at most once in this time.
pub(super) const NOTIFY_PAUSE: Duration = Duration::from_millis(20);
/// Pause before a lost listening connection is made again.
pub(super) const LISTEN_RETRY_PAUSE: Duration = Duration::from_secs(2);
