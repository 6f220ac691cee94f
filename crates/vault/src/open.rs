//! Opening ranges of a blob: only the segments of the range are read, and a byte leaves only after its tag has verified.
//!
//! One step of read-ahead runs on the blocking pool while the step before is being sent. Between steps no thread is held,
//! so a slow receiver costs buffers (three batches at most) and nothing else.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::{io, mem};

use bailee_model::{BlobId, Placement, TenantId};
use bytes::Bytes;
use futures::{FutureExt, Stream};
use tokio::task::JoinHandle;

use crate::Vault;
use crate::disk::{Disk, DiskError, StoredFile};
use crate::format::{
    End, FormatError, HEADER_BYTES, SEGMENT_BYTES, SegmentOpener, sealed_offset, sealed_run,
    sealed_size, segment_count, segment_of,
};
use crate::keys::DataKey;
use crate::limit::{BATCH_BYTES, BLOB_BYTES_MAX};

/// Segments opened in one step.
const STEP_SEGMENTS: u64 = (BATCH_BYTES / SEGMENT_BYTES) as u64;

/// A blob to open, as its row says.
pub struct OpenBlob<'a> {
    /// Whose blob it is.
    pub tenant: TenantId,
    /// Its id.
    pub blob: BlobId,
    /// The file's key.
    pub data_key: &'a DataKey,
    /// Its content bytes.
    pub size_bytes: u64,
    /// Where its sealed bytes are.
    pub placement: Placement,
}

/// Why no (more) bytes can be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The sealed bytes are not what was written: an alert, never data.
    #[error("blob {blob} is corrupt")]
    Corrupt {
        /// Which.
        blob: BlobId,
        /// What does not fit.
        source: FormatError,
    },
    /// There is no such file.
    #[error("blob {blob} is missing")]
    Missing {
        /// Which.
        blob: BlobId,
    },
    /// The range is not within the content; a mistake of the caller.
    #[error("the range is outside of blob {blob}")]
    OutOfRange {
        /// Which.
        blob: BlobId,
    },
    /// The disk failed to read.
    #[error("blob {blob} cannot be read")]
    Disk {
        /// Which.
        blob: BlobId,
        /// How.
        source: DiskError,
    },
}

impl Vault {
    /// The content bytes of `range`, in pieces of up to 256 KiB. Nothing is read before the first poll, which must happen in
    /// a Tokio runtime. After an error the stream ends.
    pub fn open(&self, command: OpenBlob<'_>, range: Range<u64>) -> BlobBytes {
        let reader = Reader {
            tenant: command.tenant,
            blob: command.blob,
            data_key: command.data_key.clone(),
            size_bytes: command.size_bytes,
            next: range.start,
            end: range.end,
            source: Source::Closed {
                disk: Arc::clone(&self.disk),
                placement: command.placement,
            },
            sealed: Vec::new(),
            buffers: Arc::default(),
        };
        let is_within =
            range.start <= range.end && range.end <= command.size_bytes.min(BLOB_BYTES_MAX);
        BlobBytes {
            state: if is_within {
                State::Idle(Box::new(reader))
            } else {
                State::Refused(command.blob)
            },
        }
    }
}

/// The stream of opened bytes; see [`Vault::open`].
pub struct BlobBytes {
    state: State,
}

enum State {
    Idle(Box<Reader>),
    Reading(BlobId, JoinHandle<(Box<Reader>, Opened)>),
    Refused(BlobId),
    Over,
}

/// Bytes, the end of the range, or a failure.
type Opened = Result<Option<Bytes>, OpenError>;

impl State {
    fn after(reader: Box<Reader>) -> Self {
        if reader.is_at_end() {
            return Self::Over;
        }
        Self::ahead(reader)
    }

    fn ahead(mut reader: Box<Reader>) -> Self {
        let blob = reader.blob;
        Self::Reading(
            blob,
            tokio::task::spawn_blocking(move || {
                let opened = reader.step();
                (reader, opened)
            }),
        )
    }
}

impl Stream for BlobBytes {
    type Item = Result<Bytes, OpenError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let State::Reading(blob, reading) = &mut self.state {
            let blob = *blob;
            let joined = ready!(reading.poll_unpin(context));
            let Ok((reader, opened)) = joined else {
                self.state = State::Over;
                let source = DiskError::Stopped;
                return Poll::Ready(Some(Err(OpenError::Disk { blob, source })));
            };
            self.state = if opened.is_ok() {
                State::after(reader)
            } else {
                State::Over
            };
            return Poll::Ready(opened.transpose());
        }
        match mem::replace(&mut self.state, State::Over) {
            State::Idle(mut reader) if reader.is_inline() => {
                // In memory and small: not worth a thread.
                let opened = reader.step();
                if opened.is_ok() && !reader.is_at_end() {
                    self.state = State::Idle(reader);
                }
                Poll::Ready(opened.transpose())
            }
            State::Idle(reader) => {
                self.state = State::ahead(reader);
                self.poll_next(context)
            }
            State::Refused(blob) => Poll::Ready(Some(Err(OpenError::OutOfRange { blob }))),
            State::Reading(..) | State::Over => Poll::Ready(None),
        }
    }
}

/// Reads and opens step by step. Blocks when the blob is a file.
pub(crate) struct Reader {
    tenant: TenantId,
    blob: BlobId,
    data_key: DataKey,
    size_bytes: u64,
    /// The next content byte, and the one after the last.
    next: u64,
    end: u64,
    source: Source,
    sealed: Vec<u8>,
    buffers: Arc<Buffers>,
}

enum Source {
    Closed {
        disk: Arc<Disk>,
        placement: Placement,
    },
    Open {
        bytes: SealedBytes,
        opener: SegmentOpener,
    },
}

enum SealedBytes {
    File(StoredFile),
    Inline(Vec<u8>),
}

impl SealedBytes {
    fn size_bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.size_bytes(),
            Self::Inline(bytes) => bytes.len() as u64,
        }
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_at(into, offset),
            Self::Inline(bytes) => {
                let from = usize::try_from(offset)
                    .ok()
                    .and_then(|at| bytes.get(at..)?.get(..into.len()));
                into.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
}

impl Reader {
    fn is_inline(&self) -> bool {
        matches!(
            self.source,
            Source::Closed {
                placement: Placement::Inline(_),
                ..
            } | Source::Open {
                bytes: SealedBytes::Inline(_),
                ..
            }
        )
    }

    fn is_at_end(&self) -> bool {
        self.next >= self.end
    }

    /// The next piece; None only for an empty range, for which header and length are checked, and for empty content also
    /// its one segment.
    fn step(&mut self) -> Opened {
        self.unlock()?;
        let Source::Open { bytes, opener } = &self.source else {
            return Ok(None);
        };
        if self.next >= self.end && self.size_bytes > 0 {
            return Ok(None);
        }
        let count = segment_count(self.size_bytes);
        let first = segment_of(self.next);
        let last = segment_of(self.end.saturating_sub(1)).min(first + STEP_SEGMENTS - 1);
        let begin = first * SEGMENT_BYTES as u64;
        let end = self.size_bytes.min((last + 1) * SEGMENT_BYTES as u64);
        let content_bytes = (end - begin) as usize;

        let sealed_bytes = sealed_run(content_bytes);
        if self.sealed.len() < sealed_bytes {
            self.sealed.resize(sealed_bytes, 0);
        }
        let sealed = self.sealed.get_mut(..sealed_bytes).unwrap_or_default();
        bytes
            .read_at(sealed, sealed_offset(first))
            .map_err(|source| read_error(self.blob, source))?;
        let mut buffer = Buffer::of(&self.buffers, content_bytes);
        let ends = if last + 1 == count {
            End::Last
        } else {
            End::More
        };
        opener
            .open(first as u32, ends, sealed, &mut buffer.bytes)
            .map_err(|source| corrupt(self.blob, source))?;

        let from = (self.next - begin) as usize;
        let to = (self.end.min(end) - begin) as usize;
        self.next = self.end.min(end);
        if from == to {
            return Ok(None);
        }
        let opened = Bytes::from_owner(Opening {
            buffer,
            length: content_bytes,
        });
        Ok(Some(opened.slice(from..to)))
    }

    /// Opens the file and its header, the first time.
    fn unlock(&mut self) -> Result<(), OpenError> {
        let blob = self.blob;
        let Source::Closed { disk, placement } = &mut self.source else {
            return Ok(());
        };
        let bytes = match mem::replace(placement, Placement::Stored) {
            Placement::Inline(bytes) => SealedBytes::Inline(bytes),
            Placement::Stored => disk
                .read(self.tenant, blob)
                .map_err(|source| OpenError::Disk { blob, source })?
                .map(SealedBytes::File)
                .ok_or(OpenError::Missing { blob })?,
        };
        if bytes.size_bytes() != sealed_size(self.size_bytes) {
            return Err(corrupt(blob, FormatError::WrongLength));
        }
        let mut header = [0; HEADER_BYTES];
        bytes
            .read_at(&mut header, 0)
            .map_err(|source| read_error(blob, source))?;
        let opener = SegmentOpener::new(&self.data_key, &header, self.tenant, blob)
            .map_err(|source| corrupt(blob, source))?;
        self.source = Source::Open { bytes, opener };
        Ok(())
    }
}

fn corrupt(blob: BlobId, source: FormatError) -> OpenError {
    OpenError::Corrupt { blob, source }
}

/// A file that has become shorter since it was opened is corrupt; anything else is the disk's.
fn read_error(blob: BlobId, source: io::Error) -> OpenError {
    if source.kind() == io::ErrorKind::UnexpectedEof {
        return corrupt(blob, FormatError::WrongLength);
    }
    let what = "read a blob";
    OpenError::Disk {
        blob,
        source: DiskError::Failed { what, source },
    }
}

/// Content buffers of one stream that may be used again.
#[derive(Default)]
struct Buffers(Mutex<VecDeque<Vec<u8>>>);

/// A buffer that goes back where it came from, once its last byte has been sent.
struct Buffer {
    bytes: Vec<u8>,
    home: Arc<Buffers>,
}

impl Buffer {
    /// A buffer with at least `length` bytes, used or new.
    fn of(home: &Arc<Buffers>, length: usize) -> Self {
        let used = home
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let mut bytes = used.unwrap_or_default();
        if bytes.len() < length {
            bytes.resize(length, 0);
        }
        Self {
            bytes,
            home: Arc::clone(home),
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.bytes);
        let mut home = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        home.push_back(bytes);
    }
}

/// Opened content on its way out.
struct Opening {
    buffer: Buffer,
    length: usize,
}

impl AsRef<[u8]> for Opening {
    fn as_ref(&self) -> &[u8] {
        self.buffer.bytes.get(..self.length).unwrap_or_default()
    }
}
