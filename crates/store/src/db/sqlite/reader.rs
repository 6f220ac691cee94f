//! The readers: a few threads, each with a connection that cannot write, fed by one bounded queue.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::super::limit::{FETCH_ROWS_MAX, READ_QUEUE_MAX, SQLITE_BUSY_WAIT};
use super::super::{DbError, Row, Sql, Value};
use super::convert::{Texts, failure, perform};
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
}

impl Readers {
    pub(super) async fn fetch(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, DbError> {
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
}

impl Crew {
    /// Ends the readers after the fetches that were sent before, and closes their connections.
    pub(super) fn finish(self) {
        self.places.close();
        for _ in &self.threads {
            let _ = self.queue.send(Message::Stop);
        }
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

pub(super) fn start(home: &Home, count: NonZeroUsize) -> Result<(Readers, Crew), DbError> {
    let (queue, inbox) = bounded(READ_QUEUE_MAX);
    let mut threads = Vec::with_capacity(count.get());
    for _ in 0..count.get() {
        let conn = home.connect(SQLITE_BUSY_WAIT)?;
        conn.pragma_update(None, "query_only", "ON")
            .map_err(|error| failure(&error))?;
        let inbox: Receiver<Message> = inbox.clone();
        threads.push(spawn("bailee-reader", move || work(&conn, &inbox))?);
    }
    let places = Arc::new(Semaphore::new(READ_QUEUE_MAX));
    let readers = Readers {
        queue: queue.clone(),
        places: Arc::clone(&places),
    };
    Ok((
        readers,
        Crew {
            queue,
            threads,
            places,
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
