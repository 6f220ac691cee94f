//! The readers: a few threads, each with a connection that cannot write, fed by one bounded queue; and a connection or
//! two beside them for reads of a few rows, which the caller's thread does itself.
//!
//! A hop to another thread and back costs several times what SQLite needs to find a row by its key. A caller's thread
//! never waits: when no connection is free, or the database is busy, the read goes to the queue like any other.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::super::limit::{
    FETCH_ROWS_MAX, NEAR_CONNECTIONS_MAX, NEAR_ROWS_MAX, READ_QUEUE_MAX, SQLITE_BUSY_WAIT,
};
use super::super::{DbError, Row, Sql, Value};
use super::convert::{Fault, Texts, failure, is_busy, perform};
use super::home::Home;
use super::spawn;

enum Message {
    Fetch {
        sql: Sql,
        values: Vec<Value>,
        reply: oneshot::Sender<Result<Vec<Row>, DbError>>,
    },
    Stop,
}

/// The callers' end of the readers.
pub(super) struct Readers {
    queue: Sender<Message>,
    places: Arc<Semaphore>,
    near: Near,
}

impl Readers {
    pub(super) async fn fetch(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, DbError> {
        if sql.is_point()
            && let Some(rows) = self.near.fetch(sql, &values)
        {
            return rows;
        }
        // One place for each message, so that sending never blocks an executor's thread.
        let _place = self.places.acquire().await.map_err(|_| DbError::closed())?;
        let (reply, answer) = oneshot::channel();
        self.queue
            .try_send(Message::Fetch { sql, values, reply })
            .map_err(|_| DbError::closed())?;
        answer.await.map_err(|_| DbError::closed())?
    }
}

/// The writer's end of the readers: it ends them.
pub(super) struct Crew {
    queue: Sender<Message>,
    threads: Vec<JoinHandle<()>>,
    places: Arc<Semaphore>,
    near: Near,
}

impl Crew {
    /// Ends the readers after the fetches that were sent before, and closes their connections.
    pub(super) fn finish(self) {
        self.near.close();
        self.places.close();
        for _ in &self.threads {
            let _ = self.queue.send(Message::Stop);
        }
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// The connections for callers' own threads.
#[derive(Clone)]
struct Near(Arc<[Mutex<Option<Desk>>]>);

struct Desk {
    conn: Connection,
    texts: Texts,
}

impl Near {
    fn open(home: &Home) -> Result<Self, DbError> {
        let count = std::thread::available_parallelism()
            .map_or(1, NonZeroUsize::get)
            .min(NEAR_CONNECTIONS_MAX);
        let desk = || {
            let conn = connect(home, Duration::ZERO)?;
            let texts = Texts::default();
            Ok(Mutex::new(Some(Desk { conn, texts })))
        };
        let desks = (0..count).map(|_| desk()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(desks.into()))
    }

    /// The rows; `None` when a reader must do it: all connections are taken or closed, the database is busy, or there
    /// are more rows than a caller's thread should read.
    fn fetch(&self, sql: Sql, values: &[Value]) -> Option<Result<Vec<Row>, DbError>> {
        let mut desk = self.0.iter().find_map(|desk| match desk.try_lock() {
            Ok(desk) => Some(desk),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })?;
        let Desk { conn, texts } = desk.as_mut()?;
        match perform(conn, texts, (sql, values), NEAR_ROWS_MAX) {
            Ok(effect) => Some(Ok(effect.rows)),
            Err(Fault::Db(DbError::TooMany { .. })) => None,
            Err(fault) if is_busy(&fault) => None,
            Err(fault) => Some(Err(fault.plain(sql))),
        }
    }

    fn close(&self) {
        for desk in self.0.iter() {
            *desk.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// A connection that cannot write.
fn connect(home: &Home, busy_wait: Duration) -> Result<Connection, DbError> {
    let conn = home.connect(busy_wait)?;
    conn.pragma_update(None, "query_only", "ON")
        .map_err(|error| failure(&error))?;
    Ok(conn)
}

pub(super) fn start(home: &Home, count: NonZeroUsize) -> Result<(Readers, Crew), DbError> {
    let (queue, inbox) = bounded(READ_QUEUE_MAX);
    let mut threads = Vec::with_capacity(count.get());
    for _ in 0..count.get() {
        let conn = connect(home, SQLITE_BUSY_WAIT)?;
        let inbox: Receiver<Message> = inbox.clone();
        threads.push(spawn("bailee-reader", move || work(&conn, &inbox))?);
    }
    let places = Arc::new(Semaphore::new(READ_QUEUE_MAX));
    let near = Near::open(home)?;
    let readers = Readers {
        queue: queue.clone(),
        places: Arc::clone(&places),
        near: near.clone(),
    };
    Ok((
        readers,
        Crew {
            queue,
            threads,
            places,
            near,
        },
    ))
}

fn work(conn: &Connection, inbox: &Receiver<Message>) {
    let mut texts = Texts::default();
    while let Ok(Message::Fetch { sql, values, reply }) = inbox.recv() {
        if reply.is_closed() {
            continue; // nobody waits for these rows any more
        }
        let rows =
            perform(conn, &mut texts, (sql, &values), FETCH_ROWS_MAX).map(|effect| effect.rows);
        let _ = reply.send(rows.map_err(|fault| fault.plain(sql)));
    }
}
