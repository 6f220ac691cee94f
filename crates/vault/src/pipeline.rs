//! The stages of a stored blob: hash, then seal and write. The receiver fills batches; each goes through the stages and its
//! buffer comes back to be filled again.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bailee_model::{BlobId, TenantId};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::disk::{Disk, DiskError, NewFile};
use crate::format::{End, FormatError, HEADER_BYTES, SegmentSealer, sealed_run};
use crate::limit::{BATCH_BYTES, BATCHES_MAX};
use crate::seal::Digest;
use crate::stage::{Stage, Work};

/// Where a pipeline's blob goes.
pub(crate) struct Target {
    pub(crate) disk: Arc<Disk>,
    pub(crate) tenant: TenantId,
    pub(crate) blob: BlobId,
    pub(crate) sealer: SegmentSealer,
    pub(crate) digest: Digest,
}

/// What the last stage says.
enum Report {
    /// A buffer may be filled again.
    Free(Vec<u8>),
    /// The blob is durable under its final name.
    Done(Stored),
    /// Nothing more will be written.
    Failed(StoreError),
}

/// A durable blob.
pub(crate) struct Stored {
    pub(crate) sealed_bytes: u64,
    pub(crate) sha256: Option<[u8; 32]>,
}

/// Why a blob was not stored.
pub(crate) enum StoreError {
    Disk(DiskError),
    Format(FormatError),
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<FormatError> for StoreError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

/// The receiver's end of the stages. Dropped before [`Pipeline::finish`] has returned, it removes the blob's file.
pub(crate) struct Pipeline {
    hash: Option<Stage<Hash>>,
    write: Stage<Write>,
    reports: mpsc::Receiver<Report>,
    buffers_made: usize,
    is_finished: bool,
}

impl Pipeline {
    /// Stages for one blob, on the blocking pool of the runtime this is called in. No file is made yet.
    pub(crate) fn new(target: Target) -> Self {
        let pool = Handle::current();
        // Room for every buffer and the last word, so that the last stage never waits.
        let (reporter, reports) = mpsc::channel(BATCHES_MAX + 2);
        let digest = target.digest;
        let write = Stage::new(pool.clone(), Write::new(target, reporter));
        let hash = match digest {
            Digest::None => None,
            Digest::Sha256 => Some(Stage::new(
                pool,
                Hash {
                    context: Some(Context::new(&SHA256)),
                    next: write.clone(),
                },
            )),
        };
        Self {
            hash,
            write,
            reports,
            buffers_made: 1, // the one the receiver has filled before it started us
            is_finished: false,
        }
    }

    /// Hands a batch over and returns an empty buffer for the next, once there is one.
    pub(crate) async fn exchange(&mut self, content: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        self.push(content, End::More);
        let report = match self.reports.try_recv() {
            Ok(report) => report,
            Err(_) if self.buffers_made < BATCHES_MAX => {
                self.buffers_made += 1;
                return Ok(Vec::with_capacity(BATCH_BYTES));
            }
            Err(_) => self.report().await?,
        };
        match report {
            Report::Free(buffer) => Ok(buffer),
            Report::Failed(error) => Err(error),
            Report::Done(_) => Err(DiskError::Stopped.into()),
        }
    }

    /// Hands the last batch over and waits until the blob is durable.
    pub(crate) async fn finish(&mut self, content: Vec<u8>) -> Result<Stored, StoreError> {
        self.push(content, End::Last);
        loop {
            match self.report().await? {
                Report::Free(_) => {}
                Report::Failed(error) => return Err(error),
                Report::Done(stored) => {
                    self.is_finished = true;
                    return Ok(stored);
                }
            }
        }
    }

    fn push(&self, content: Vec<u8>, end: End) {
        let batch = Batch {
            content,
            end,
            sha256: None,
        };
        match &self.hash {
            Some(hash) => hash.push(batch),
            None => self.write.push(Item::Batch(batch)),
        }
    }

    async fn report(&mut self) -> Result<Report, StoreError> {
        self.reports
            .recv()
            .await
            .ok_or(StoreError::Disk(DiskError::Stopped))
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if !self.is_finished {
            // By the stage, because removing a large file takes long and we may be on an async thread.
            self.write.push(Item::Abandon);
        }
    }
}

/// A run of content. Only the last batch may be other than [`BATCH_BYTES`] long.
struct Batch {
    content: Vec<u8>,
    end: End,
    /// Of the whole content, on the last batch.
    sha256: Option<[u8; 32]>,
}

struct Hash {
    /// None after the last batch.
    context: Option<Context>,
    next: Stage<Write>,
}

impl Drop for Hash {
    fn drop(&mut self) {
        // Unfinished: the receiver is gone, or hashing has panicked and the receiver must hear of it.
        if self.context.is_some() {
            self.next.push(Item::Abandon);
        }
    }
}

impl Work for Hash {
    type Item = Batch;

    fn take(&mut self, mut batch: Batch) {
        if let Some(context) = &mut self.context {
            context.update(&batch.content);
        }
        if batch.end == End::Last {
            batch.sha256 = self
                .context
                .take()
                .and_then(|context| context.finish().as_ref().try_into().ok());
        }
        self.next.push(Item::Batch(batch));
    }
}

enum Item {
    Batch(Batch),
    /// The receiver is gone, or the last batch will never come.
    Abandon,
}

struct Write {
    target: Target,
    state: State,
    /// One batch, sealed: kept, so that nothing is allocated per batch.
    sealed: Vec<u8>,
    sealed_bytes: u64,
    reporter: mpsc::Sender<Report>,
}

enum State {
    Fresh,
    Writing(NewFile),
    Stored,
    /// Failed or abandoned: what still comes is thrown away.
    Over,
}

impl Write {
    fn new(target: Target, reporter: mpsc::Sender<Report>) -> Self {
        Self {
            target,
            state: State::Fresh,
            sealed: Vec::new(),
            sealed_bytes: 0,
            reporter,
        }
    }

    fn start(&mut self) -> Result<(), StoreError> {
        self.sealed = vec![0; HEADER_BYTES + sealed_run(BATCH_BYTES)];
        if let Some(front) = self.sealed.first_chunk_mut() {
            *front = *self.target.sealer.header();
        }
        self.state = State::Writing(
            self.target
                .disk
                .create(self.target.tenant, self.target.blob)?,
        );
        Ok(())
    }

    fn batch(&mut self, mut batch: Batch) -> Result<Report, StoreError> {
        if matches!(self.state, State::Fresh) {
            self.start()?;
        }
        let State::Writing(file) = &mut self.state else {
            batch.content.clear();
            return Ok(Report::Free(batch.content));
        };
        // The header goes out in front of the first batch, in the same write.
        let begin = if self.sealed_bytes == 0 {
            0
        } else {
            HEADER_BYTES
        };
        let room = self.sealed.get_mut(HEADER_BYTES..).unwrap_or_default();
        let end = HEADER_BYTES + self.target.sealer.seal(&batch.content, batch.end, room)?;
        let sealed = self.sealed.get(begin..end).unwrap_or_default();
        file.append(sealed)?;
        self.sealed_bytes += sealed.len() as u64;
        if batch.end == End::More {
            batch.content.clear();
            return Ok(Report::Free(batch.content));
        }
        if let State::Writing(file) = std::mem::replace(&mut self.state, State::Over) {
            file.publish()?;
        }
        self.state = State::Stored;
        Ok(Report::Done(Stored {
            sealed_bytes: self.sealed_bytes,
            sha256: batch.sha256,
        }))
    }

    /// Removes whatever there is. A blob that is already stored goes too: nobody was told of it.
    fn abandon(&mut self) {
        if let State::Stored = std::mem::replace(&mut self.state, State::Over) {
            // If that fails, the blob is an orphan, and the sweeper's.
            drop(
                self.target
                    .disk
                    .remove(self.target.tenant, self.target.blob),
            );
        }
    }
}

impl Work for Write {
    type Item = Item;

    fn take(&mut self, item: Item) {
        let report = match item {
            Item::Abandon => {
                self.abandon();
                Report::Failed(DiskError::Stopped.into())
            }
            Item::Batch(batch) => match self.batch(batch) {
                Ok(report) => report,
                Err(error) => {
                    self.state = State::Over;
                    Report::Failed(error)
                }
            },
        };
        // A receiver that is gone needs no report.
        drop(self.reporter.try_send(report));
    }
}
