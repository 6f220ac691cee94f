//! The group sync: one `fdatasync` of the log for everyone who waits, then the acknowledgements.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::sync::{oneshot, watch};

use super::super::DbError;
use super::super::limit::SYNC_QUEUE_MAX;
use super::super::script::Done;
use super::spawn;

/// An answer that waits until its commit is on the disk.
pub(super) struct Ack {
    pub(super) reply: oneshot::Sender<Result<Done, DbError>>,
    pub(super) done: Done,
}

/// The writer's end of the sync thread.
pub(super) struct Sync {
    batches: Sender<Vec<Ack>>,
    thread: JoinHandle<()>,
}

impl Sync {
    /// Hands over the answers of a committed batch; waits if the disk is far behind.
    pub(super) fn send(&self, acks: Vec<Ack>) {
        // The thread ends only after this end is dropped.
        let _ = self.batches.send(acks);
    }

    /// Waits until all that was sent is on the disk and acknowledged.
    pub(super) fn finish(self) {
        drop(self.batches);
        let _ = self.thread.join();
    }
}

pub(super) fn start(
    log: File,
    committed: Arc<watch::Sender<u64>>,
    syncs: Arc<AtomicU64>,
) -> Result<Sync, DbError> {
    let (batches, inbox) = bounded(SYNC_QUEUE_MAX);
    let thread = spawn("bailee-sync", move || {
        work(&log, &inbox, &committed, &syncs);
    })?;
    Ok(Sync { batches, thread })
}

fn work(log: &File, inbox: &Receiver<Vec<Ack>>, committed: &watch::Sender<u64>, syncs: &AtomicU64) {
    while let Ok(first) = inbox.recv() {
        // Whatever was committed before the sync begins is covered by it: the log is one file, appended in order.
        let mut acks = first;
        acks.extend(inbox.try_iter().flatten());
        sync_or_abort(log);
        syncs.fetch_add(1, Ordering::Relaxed);
        for ack in acks {
            // A caller that went away does not need its answer.
            let _ = ack.reply.send(Ok(ack.done));
        }
        committed.send_modify(|count| *count += 1);
    }
}

/// After a failed sync the kernel may have dropped the pages and the next sync succeeds without them, so nothing this
/// process knows about its disk is true any more. It ends at once; what was not acknowledged is decided by the log at
/// the next start.
fn sync_or_abort(log: &File) {
    if let Err(error) = log.sync_data() {
        tracing::error!(error = %error, "the log of the database cannot be synced; this process ends");
        std::process::abort();
    }
}
