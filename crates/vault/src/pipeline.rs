//! The stages of a stored blob: hash, then seal and write. The receiver fills batches; each goes through the stages, is
//! sealed where it lies, and gives its buffer back.
//!
//! An upload has several full-size batches under way as long as the vault has buffers; when they are all lent, it goes on
//! with one segment at a time.

use std::io::IoSlice;
use std::sync::Arc;
use std::thread::available_parallelism;

use aws_lc_rs::digest::{Context, SHA256};
use bailee_model::{BlobId, TenantId};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::block::{Block, Blocks};
use crate::crew::Crew;
use crate::disk::{Disk, DiskError, NewFile};
use crate::format::{End, FormatError, RunTags, SEGMENT_BYTES, SegmentSealer};
use crate::limit::{BATCH_BYTES, BATCHES_MAX, WRITERS_MAX};
use crate::seal::Digest;
use crate::stage::{Stage, Work};

/// What one write of a batch consists of: the header, and each segment with its tag.
const SLICES_MAX: usize = 1 + 2 * (BATCH_BYTES / SEGMENT_BYTES);

/// What all uploads of a vault share.
pub(crate) struct Works {
    blocks: Arc<Blocks>,
    hashers: Arc<Crew>,
    writers: Arc<Crew>,
}

impl Works {
    pub(crate) fn new() -> Self {
        // Hashing does nothing but compute: more threads than processors would only keep others from running.
        let processors = available_parallelism().map_or(2, usize::from);
        Self {
            blocks: Arc::default(),
            hashers: Crew::new(processors),
            writers: Crew::new(WRITERS_MAX),
        }
    }
}

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
    /// A batch is written and its buffer given back.
    Written,
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
    blocks: Arc<Blocks>,
    hash: Option<Stage<Hash>>,
    write: Stage<Write>,
    reports: mpsc::Receiver<Report>,
    /// Batches that were handed over and not reported as written.
    under_way: usize,
    is_finished: bool,
}

impl Pipeline {
    /// Stages for one blob, on the blocking pool of the runtime this is called in. No file is made yet.
    pub(crate) fn new(works: &Works, target: Target) -> Self {
        let pool = Handle::current();
        // Room for every batch and the last word, so that the last stage never waits.
        let (reporter, reports) = mpsc::channel(BATCHES_MAX + 2);
        let digest = target.digest;
        let write = Stage::new(
            Arc::clone(&works.writers),
            pool.clone(),
            Write::new(target, reporter),
        );
        let hash = match digest {
            Digest::None => None,
            Digest::Sha256 => Some(Stage::new(
                Arc::clone(&works.hashers),
                pool,
                Hash {
                    context: Some(Context::new(&SHA256)),
                    next: write.clone(),
                },
            )),
        };
        Self {
            blocks: Arc::clone(&works.blocks),
            hash,
            write,
            reports,
            under_way: 0,
            is_finished: false,
        }
    }

    /// Hands a batch over and returns an empty buffer for the next, once there is one.
    pub(crate) async fn exchange(&mut self, content: Block) -> Result<Block, StoreError> {
        self.push(content, End::More);
        while let Ok(report) = self.reports.try_recv() {
            self.note(report)?;
        }
        loop {
            // One of the batches that may exist is the one to be filled.
            if self.under_way < BATCHES_MAX
                && let Some(block) = self.blocks.take()
            {
                return Ok(block);
            }
            if self.under_way == 0 {
                return Ok(Block::small());
            }
            let report = self.report().await?;
            self.note(report)?;
        }
    }

    /// Hands the last batch over and waits until the blob is durable.
    pub(crate) async fn finish(&mut self, content: Block) -> Result<Stored, StoreError> {
        self.push(content, End::Last);
        loop {
            match self.report().await? {
                Report::Done(stored) => {
                    self.is_finished = true;
                    return Ok(stored);
                }
                other => self.note(other)?,
            }
        }
    }

    fn note(&mut self, report: Report) -> Result<(), StoreError> {
        match report {
            Report::Written => {
                self.under_way = self.under_way.saturating_sub(1);
                Ok(())
            }
            Report::Failed(error) => Err(error),
            Report::Done(_) => Err(DiskError::Stopped.into()),
        }
    }

    fn push(&mut self, content: Block, end: End) {
        self.under_way += 1;
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

/// A run of content: whole segments, but for the last.
struct Batch {
    content: Block,
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
            context.update(batch.content.bytes());
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
            sealed_bytes: 0,
            reporter,
        }
    }

    fn batch(&mut self, batch: Batch) -> Result<Report, StoreError> {
        if matches!(self.state, State::Fresh) {
            let Target {
                disk, tenant, blob, ..
            } = &self.target;
            self.state = State::Writing(disk.create(*tenant, *blob)?);
        }
        let State::Writing(file) = &mut self.state else {
            return Ok(Report::Written);
        };
        let Batch {
            mut content,
            end,
            sha256,
        } = batch;
        let sealer = &mut self.target.sealer;
        let tags = sealer.seal_in_place(content.bytes_mut(), end)?;
        // The header goes out in front of the first batch, in the same write.
        let header: &[u8] = if self.sealed_bytes == 0 {
            sealer.header()
        } else {
            &[]
        };
        let mut slices = slices(header, content.bytes(), &tags);
        self.sealed_bytes += slices.iter().map(|slice| slice.len() as u64).sum::<u64>();
        file.append(&mut slices)?;
        // Others can use the buffer while this blob is synced.
        drop(content);
        if end == End::More {
            return Ok(Report::Written);
        }
        if let State::Writing(file) = std::mem::replace(&mut self.state, State::Over) {
            file.publish()?;
        }
        self.state = State::Stored;
        Ok(Report::Done(Stored {
            sealed_bytes: self.sealed_bytes,
            sha256,
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

/// The header, then each segment with its tag behind it. Places that are not needed stay empty.
fn slices<'a>(header: &'a [u8], sealed: &'a [u8], tags: &'a RunTags) -> [IoSlice<'a>; SLICES_MAX] {
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut segments = sealed.chunks(SEGMENT_BYTES);
    // Emptiness is a segment, too.
    let count = segments.len().max(1);
    let [first, pairs @ ..] = &mut slices;
    *first = IoSlice::new(header);
    for (pair, tag) in pairs.as_chunks_mut().0.iter_mut().zip(tags).take(count) {
        *pair = [
            IoSlice::new(segments.next().unwrap_or_default()),
            IoSlice::new(tag),
        ];
    }
    slices
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
