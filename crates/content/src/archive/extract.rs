//! Taking archives apart: the conversation with the caller, and what holds for every kind.

use std::io::{self, Read};
use std::sync::Arc;

use bailee_model::Timestamp;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncSeek};
use tokio::sync::mpsc;

use super::name::Names;
use super::{ArchiveError, Compression, tar_read, zip_read};
use crate::limit::{
    ENTRIES_MAX, ENTRY_NAME_BYTES_MAX, EXTRACTED_BYTES_MAX, PIECE_BYTES, RATIO_MAX,
};
use crate::worker::{self, Allowance, Meter, read_fault};
use crate::{Error, Result};

/// Pieces on their way to a slow caller.
const PIECES_WAITING_MAX: usize = 4;

/// How much of an archive is taken.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "limits are named so everywhere")]
pub struct Caps {
    pub bytes_max: u64,
    pub ratio_max: u64,
    pub entries_max: u64,
    pub name_bytes_max: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            bytes_max: EXTRACTED_BYTES_MAX,
            ratio_max: RATIO_MAX,
            entries_max: ENTRIES_MAX,
            name_bytes_max: ENTRY_NAME_BYTES_MAX,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative, with forward slashes, without `.`, `..` or empty parts.
    pub name: String,
    pub is_folder: bool,
    pub size_bytes: u64,
    pub modified: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Entry(Entry),
    /// Bytes of the entry told last.
    Piece(Bytes),
    /// All of the archive was read and holds.
    End(Summary),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub entries: u64,
    pub bytes: u64,
}

/// An archive being read. Dropping it ends the work.
#[derive(Debug)]
pub struct Entries {
    events: mpsc::Receiver<Result<Event>>,
}

impl Entries {
    /// The next event; nothing after the end or an error.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        self.events.recv().await
    }

    fn start<F, Fut>(work: F) -> Self
    where
        F: FnOnce(mpsc::Sender<Result<Event>>) -> Fut,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let (sender, events) = mpsc::channel(PIECES_WAITING_MAX);
        let work = work(sender.clone());
        tokio::spawn(async move {
            if let Err(error) = work.await {
                // Nobody listening is no fault: the caller has left.
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { events }
    }
}

/// Reads a tar file, packed or not, from front to back.
pub fn extract_tar<R>(input: R, compression: Option<Compression>, caps: Caps) -> Entries
where
    R: AsyncRead + Send + Unpin + 'static,
{
    Entries::start(move |events| {
        worker::inspect(input, move |source| {
            let meter = source.meter();
            let mut reader = Compression::reader(compression, source)?;
            tar_read::read(&mut reader, Taker::new(events, caps, meter))
        })
    })
}

/// Reads a ZIP file by its catalogue, which stands at its end.
pub fn extract_zip<R>(input: R, caps: Caps) -> Entries
where
    R: AsyncRead + AsyncSeek + Send + Unpin + 'static,
{
    Entries::start(move |events| {
        worker::search(input, move |source| {
            let meter = Arc::clone(&source.meter);
            zip_read::read(source, Taker::new(events, caps, meter))
        })
    })
}

/// What goes to the caller, within the caps.
pub(super) struct Taker {
    events: mpsc::Sender<Result<Event>>,
    pub(super) caps: Caps,
    pub(super) meter: Arc<Meter>,
    names: Names,
    summary: Summary,
}

impl Taker {
    fn new(events: mpsc::Sender<Result<Event>>, caps: Caps, meter: Arc<Meter>) -> Self {
        Self {
            events,
            caps,
            meter,
            names: Names::default(),
            summary: Summary::default(),
        }
    }

    /// Checks an entry's name. Every entry comes here once, before any byte of it.
    pub(super) fn admit(&mut self, mut entry: Entry) -> Result<Entry> {
        self.summary.entries += 1;
        if self.summary.entries > self.caps.entries_max {
            return Err(ArchiveError::TooManyEntries {
                limit: self.caps.entries_max,
            }
            .into());
        }
        let bytes_max = self.caps.name_bytes_max;
        entry.name = self.names.admit(&entry.name, entry.is_folder, bytes_max)?;
        // Told early where the archive is honest; the bytes are counted all the same.
        if self.summary.bytes.saturating_add(entry.size_bytes) > self.caps.bytes_max {
            return Err(Error::TooLarge {
                limit: self.caps.bytes_max,
            });
        }
        Ok(entry)
    }

    pub(super) fn begin(&mut self, entry: Entry) -> Result<()> {
        self.send(Event::Entry(entry))
    }

    /// Reads `content` to its end; `see` is shown each piece. Gives the number of bytes.
    pub(super) fn take(
        &mut self,
        content: &mut dyn Read,
        see: &mut dyn FnMut(&[u8]),
    ) -> Result<u64> {
        let mut taken = 0;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let count = match content.read(&mut piece) {
                Ok(0) => return Ok(taken),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.fault(error)),
            };
            let bytes = piece.get(..count).unwrap_or_default();
            taken += count as u64;
            self.summary.bytes += count as u64;
            let allowance = Allowance {
                bytes_max: self.caps.bytes_max,
                ratio_max: self.caps.ratio_max,
            };
            allowance.admit(self.summary.bytes, self.meter.read_bytes())?;
            see(bytes);
            self.send(Event::Piece(Bytes::copy_from_slice(bytes)))?;
        }
    }

    pub(super) fn end(self) -> Result<()> {
        self.send(Event::End(self.summary))
    }

    pub(super) fn fault(&self, error: io::Error) -> Error {
        read_fault(error, &self.meter, &|error| {
            ArchiveError::Damaged(match error.kind() {
                io::ErrorKind::UnexpectedEof => "it ends too early".into(),
                _ => error.to_string(),
            })
            .into()
        })
    }

    fn send(&self, event: Event) -> Result<()> {
        self.events
            .blocking_send(Ok(event))
            .map_err(|_| Error::Abandoned)
    }
}
