//! The writer: takes what waits, commits it as one transaction, and leaves the disk to the sync thread.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::super::limit::{BATCH_SCRIPTS_MAX, CHECKPOINT_BATCHES, FETCH_ROWS_MAX};
use super::super::migrate::Plan;
use super::super::script::{Done, Durability};
use super::super::{DbError, Script, Sql};
use super::checkpoint::Checkpoint;
use super::convert::{Texts, failure, perform};
use super::home::Home;
use super::reader::Crew;
use super::sync::{Ack, Sync};
use super::{migration, spawn};

/// A script and where its answer goes.
pub(super) struct Order {
    pub(super) script: Script,
    pub(super) reply: oneshot::Sender<Result<Done, DbError>>,
}

pub(super) enum Message {
    Script(Order),
    Migrate {
        plan: Plan,
        reply: oneshot::Sender<Result<u32, DbError>>,
    },
    Check {
        statements: Vec<Sql>,
        reply: oneshot::Sender<Result<(), DbError>>,
    },
    Stop {
        reply: Option<oneshot::Sender<()>>,
    },
}

/// Owns everything that belongs to the open database, so that it can be closed in order.
pub(super) struct Writer {
    pub(super) home: Home,
    pub(super) conn: Connection,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) sync: Sync,
    pub(super) checkpoint: Checkpoint,
    pub(super) readers: Crew,
    pub(super) committed: Arc<watch::Sender<u64>>,
}

impl Writer {
    pub(super) fn start(self) -> Result<(), DbError> {
        spawn("bailee-writer", move || self.work()).map(|_| ())
    }

    fn work(mut self) {
        let mut texts = Texts::default();
        let mut batches = 0u32;
        let mut told = None;
        while let Some(message) = self.inbox.blocking_recv() {
            let mut next = Some(message);
            let mut batch = Vec::new();
            while let Some(Message::Script(order)) = next {
                batch.push(order);
                next = if batch.len() < BATCH_SCRIPTS_MAX {
                    self.inbox.try_recv().ok()
                } else {
                    None
                };
            }
            if !batch.is_empty() {
                self.commit(batch, &mut texts);
                batches = batches.wrapping_add(1);
                if batches.is_multiple_of(CHECKPOINT_BATCHES) {
                    self.checkpoint.nudge();
                }
            }
            match next {
                Some(Message::Stop { reply }) => {
                    told = reply;
                    break;
                }
                Some(Message::Migrate { plan, reply }) => {
                    let _ = reply.send(migration::apply(&mut self.conn, plan));
                }
                Some(Message::Check { statements, reply }) => {
                    let _ = reply.send(migration::prepare_all(&self.conn, &statements));
                }
                Some(Message::Script(_)) | None => {}
            }
        }
        self.finish(told);
    }

    /// Runs a batch as one transaction and sees to its answers.
    fn commit(&mut self, batch: Vec<Order>, texts: &mut Texts) {
        let outcomes = match write(&self.conn, &batch, texts) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                for order in batch {
                    let _ = order.reply.send(Err(error.clone()));
                }
                return;
            }
        };
        let is_synced = |order: &Order| order.script.durability == Durability::Synced;
        let done = || {
            batch
                .iter()
                .zip(&outcomes)
                .filter(|(_, outcome)| outcome.is_ok())
        };
        // Told before the answers, so that whoever has one finds the number grown; the sync thread tells of the others.
        if done().next().is_some() && !done().any(|(order, _)| is_synced(order)) {
            self.committed.send_modify(|count| *count += 1);
        }
        let mut acks = Vec::with_capacity(batch.len());
        for (Order { script, reply }, outcome) in batch.into_iter().zip(outcomes) {
            match outcome {
                Ok(done) if script.durability == Durability::Synced => {
                    acks.push(Ack { reply, done });
                }
                other => {
                    let _ = reply.send(other);
                }
            }
        }
        if !acks.is_empty() {
            self.sync.send(acks);
        }
    }

    /// Closes in order: answers first, then connections, the last one here; then the lock is given up.
    fn finish(self, told: Option<oneshot::Sender<()>>) {
        let Self {
            home,
            conn,
            inbox,
            sync,
            checkpoint,
            readers,
            ..
        } = self;
        sync.finish();
        readers.finish();
        checkpoint.finish();
        if let Err(error) = home.leave(&conn) {
            // The log stays where it is and is read at the next start.
            tracing::warn!(error = %error, "the log of the database was not emptied when it was closed");
        }
        drop(conn);
        drop(home);
        if let Some(told) = told {
            let _ = told.send(());
        }
        drop(inbox);
    }
}

/// One transaction. The outer error is of the transaction: nothing was committed.
///
/// Savepoints cost more than many a statement and are needed only to undo a script that fails. So a batch is first run
/// without them; when one of its scripts fails, it is undone as a whole and run again with a savepoint for each.
fn write(
    conn: &Connection,
    batch: &[Order],
    texts: &mut Texts,
) -> Result<Vec<Result<Done, DbError>>, DbError> {
    if let Some(outcomes) = transaction(conn, || Ok(write_all(conn, batch, texts)))? {
        return Ok(outcomes);
    }
    transaction(conn, || write_each(conn, batch, texts).map(Some)).map(Option::unwrap_or_default)
}

/// Commits what `work` wrote if it returns something, else undoes it.
fn transaction<T>(
    conn: &Connection,
    work: impl FnOnce() -> Result<Option<T>, DbError>,
) -> Result<Option<T>, DbError> {
    command(conn, "BEGIN IMMEDIATE")?;
    let written = work().and_then(|outcome| {
        if outcome.is_some() {
            command(conn, "COMMIT")?;
        }
        Ok(outcome)
    });
    // Some errors (a full disk) end the transaction by themselves.
    if !conn.is_autocommit() {
        command(conn, "ROLLBACK")?;
    }
    written
}

/// Runs all scripts; `None` as soon as one fails.
fn write_all(
    conn: &Connection,
    batch: &[Order],
    texts: &mut Texts,
) -> Option<Vec<Result<Done, DbError>>> {
    batch
        .iter()
        .map(|order| perform_script(conn, &order.script, texts).ok().map(Ok))
        .collect()
}

/// Runs scripts, each with a savepoint to which it is undone when it fails.
fn write_each(
    conn: &Connection,
    batch: &[Order],
    texts: &mut Texts,
) -> Result<Vec<Result<Done, DbError>>, DbError> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for order in batch {
        command(conn, "SAVEPOINT script")?;
        let outcome = perform_script(conn, &order.script, texts);
        match &outcome {
            Ok(_) => {}
            // The whole transaction is gone, and with it the scripts before this one.
            Err(error) if conn.is_autocommit() => return Err(error.clone()),
            Err(_) => command(conn, "ROLLBACK TO script")?,
        }
        command(conn, "RELEASE script")?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn perform_script(conn: &Connection, script: &Script, texts: &mut Texts) -> Result<Done, DbError> {
    let mut done = Done::default();
    for step in &script.steps {
        let effect = perform(conn, texts, (step.sql, &step.values), FETCH_ROWS_MAX)
            .map_err(|fault| fault.named(step.sql, step.conflict))?;
        if !step.guard.admits(effect.changed) {
            return Err(DbError::Conflict(step.conflict));
        }
        done.changed.push(effect.changed);
        done.rows.push(effect.rows);
    }
    Ok(done)
}

fn command(conn: &Connection, text: &str) -> Result<(), DbError> {
    conn.prepare_cached(text)
        .and_then(|mut statement| statement.execute([]))
        .map(|_| ())
        .map_err(|error| failure(&error))
}
