//! SQLite: one writer thread, a sync thread, a checkpoint thread and a few reader threads, each with its own
//! connection.
//!
//! The writer appends many scripts to the log by one commit and goes on; the sync thread brings the log to the disk
//! for everyone who waits and only then acknowledges. The design is in `docs/adr/0002-one-shot-scripts.md`.

mod checkpoint;
mod convert;
mod home;
mod migration;
mod reader;
mod sync;
mod writer;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bailee_model::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use self::home::Home;
use self::reader::Readers;
use self::writer::{Message, Order, Writer};
use super::limit::{CHECKPOINT_WAIT, SQLITE_BUSY_WAIT, WRITE_QUEUE_MAX};
use super::migrate::{Migration, Plan};
use super::script::Done;
use super::{DbError, Row, Script, Sql, Value};

/// How a SQLite database is opened.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// Whether a database may be made if there is none. Set it only when the installation has no mark of earlier
    /// use: a lost database must not be replaced by an empty one.
    pub create: bool,
    /// How many threads read.
    pub readers: NonZeroUsize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            create: false,
            readers: NonZeroUsize::MIN.saturating_add(2),
        }
    }
}

pub(super) struct Sqlite {
    writer: mpsc::Sender<Message>,
    readers: Readers,
    committed: watch::Receiver<u64>,
    syncs: Arc<AtomicU64>,
}

impl Sqlite {
    /// Takes the database file for this process and starts its threads. Blocks while files are opened.
    pub(super) fn open(path: &Path, options: SqliteOptions) -> Result<Self, DbError> {
        let home = Home::take(path, options.create)?;
        let conn = home.connect(SQLITE_BUSY_WAIT)?;
        home.prepare(&conn)?;
        let log = home.open_log(&conn)?;
        let (committed_sender, committed) = watch::channel(0);
        let committed_sender = Arc::new(committed_sender);
        let syncs = Arc::new(AtomicU64::new(0));
        let sync = sync::start(log, Arc::clone(&committed_sender), Arc::clone(&syncs))?;
        let checkpoint = checkpoint::start(home.connect(CHECKPOINT_WAIT)?)?;
        let (readers, crew) = reader::start(&home, options.readers)?;
        let (sender, inbox) = mpsc::channel(WRITE_QUEUE_MAX);
        Writer {
            home,
            conn,
            inbox,
            sync,
            checkpoint,
            readers: crew,
            committed: committed_sender,
        }
        .start()?;
        Ok(Self {
            writer: sender,
            readers,
            committed,
            syncs,
        })
    }

    pub(super) async fn run(&self, script: Script) -> Result<Done, DbError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Script(Order { script, reply })).await?;
        answer.await.map_err(|_| DbError::closed())?
    }

    pub(super) async fn fetch(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, DbError> {
        self.readers.fetch(sql, values).await
    }

    pub(super) async fn migrate(
        &self,
        migrations: &'static [Migration],
        now: Timestamp,
    ) -> Result<u32, DbError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Migrate {
            plan: Plan { migrations, now },
            reply,
        })
        .await?;
        answer.await.map_err(|_| DbError::closed())?
    }

    pub(super) async fn check(&self, statements: Vec<Sql>) -> Result<(), DbError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Check { statements, reply }).await?;
        answer.await.map_err(|_| DbError::closed())?
    }

    pub(super) fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    pub(super) fn sync_count(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Ends the threads after what was sent before, and waits until the database file is closed and unlocked.
    pub(super) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self
            .send(Message::Stop { reply: Some(reply) })
            .await
            .is_ok()
        {
            // An error means that somebody else closed it first; then it is closed or about to be.
            let _ = closed.await;
        }
        self.writer.closed().await;
    }

    async fn send(&self, message: Message) -> Result<(), DbError> {
        self.writer
            .send(message)
            .await
            .map_err(|_| DbError::closed())
    }
}

/// Starts a named thread.
fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<std::thread::JoinHandle<()>, DbError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread
        .spawn(work)
        .map_err(|error| DbError::Refused(format!("no thread for the database: {error}")))
}
