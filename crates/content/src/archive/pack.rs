//! Making archives, entry by entry.

use std::io::{self, Write};

use bailee_model::Timestamp;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::compress::Writer;
use super::name::Names;
use super::{ArchiveError, Compression, EntryFault, tar_write};
use crate::limit::{ENTRY_NAME_BYTES_MAX, PIECE_BYTES};
use crate::{Error, Result, worker};

/// Pieces on their way to a slow output.
const PIECES_WAITING_MAX: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Zip,
    Tar(Option<Compression>),
}

/// An entry to be made; tar needs its size before its bytes.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub name: String,
    pub is_folder: bool,
    pub size_bytes: u64,
    pub modified: Option<Timestamp>,
}

/// An archive being written. It counts when [`Packer::finish`] has returned; dropped before, its output is cut off.
#[derive(Debug)]
pub struct Packer {
    orders: mpsc::Sender<Order>,
    work: JoinHandle<Result<()>>,
    names: Names,
}

enum Order {
    Entry(NewEntry),
    Piece(Bytes),
    EndOfEntry,
    Finish,
}

impl Packer {
    pub fn start<W>(output: W, format: Format) -> Self
    where
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (orders, received) = mpsc::channel(PIECES_WAITING_MAX);
        let work = tokio::spawn(worker::transform(
            tokio::io::empty(),
            output,
            move |_, sink| match format {
                Format::Zip => write_zip(received, sink),
                Format::Tar(compression) => write_tar(received, compression, sink),
            },
        ));
        Self {
            orders,
            work,
            names: Names::default(),
        }
    }

    /// Adds a file or folder; `content` must give as many bytes as the entry says. After an error the archive is lost.
    pub async fn add<R>(&mut self, mut entry: NewEntry, mut content: R) -> Result<()>
    where
        R: AsyncRead + Unpin,
    {
        entry.name = self
            .names
            .admit(&entry.name, entry.is_folder, ENTRY_NAME_BYTES_MAX)?;
        let (name, size) = (entry.name.clone(), entry.size_bytes);
        let refuse = || Error::from(ArchiveError::entry(&name, EntryFault::Size));
        if entry.is_folder && size != 0 {
            return Err(refuse());
        }
        self.send(Order::Entry(entry)).await?;
        let mut sent = 0;
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let count = content.read(&mut piece).await.map_err(Error::Read)?;
            if count == 0 {
                break;
            }
            sent += count as u64;
            if sent > size {
                return Err(refuse());
            }
            piece.truncate(count);
            self.send(Order::Piece(piece.into())).await?;
        }
        if sent != size {
            return Err(refuse());
        }
        self.send(Order::EndOfEntry).await
    }

    pub async fn finish(mut self) -> Result<()> {
        self.send(Order::Finish).await?;
        (&mut self.work).await.unwrap_or(Err(Error::Abandoned))
    }

    async fn send(&mut self, order: Order) -> Result<()> {
        if self.orders.send(order).await.is_ok() {
            return Ok(());
        }
        // The work ended early: it knows why.
        match (&mut self.work).await {
            Ok(Err(error)) => Err(error),
            _ => Err(Error::Abandoned),
        }
    }
}

fn write_tar(
    mut orders: mpsc::Receiver<Order>,
    compression: Option<Compression>,
    sink: &mut dyn Write,
) -> Result<()> {
    let mut writer = Writer::new(compression, sink)?;
    let mut size_bytes = 0;
    while let Some(order) = orders.blocking_recv() {
        let bytes = match order {
            Order::Entry(entry) => {
                size_bytes = entry.size_bytes;
                tar_write::headers(&entry).into()
            }
            Order::Piece(piece) => piece,
            Order::EndOfEntry => tar_write::filling(size_bytes).into(),
            Order::Finish => {
                writer.write_all(&tar_write::end()).map_err(Error::Write)?;
                return writer.finish();
            }
        };
        writer.write_all(&bytes).map_err(Error::Write)?;
    }
    Err(Error::Abandoned)
}

fn write_zip(mut orders: mpsc::Receiver<Order>, sink: &mut dyn Write) -> Result<()> {
    let mut writer = zip::ZipWriter::new_stream(sink);
    while let Some(order) = orders.blocking_recv() {
        let done = match order {
            Order::Entry(entry) if entry.is_folder => {
                writer.add_directory(&entry.name, options(&entry))
            }
            Order::Entry(entry) => writer.start_file(&entry.name, options(&entry)),
            Order::Piece(piece) => writer.write_all(&piece).map_err(Into::into),
            Order::EndOfEntry => Ok(()),
            Order::Finish => {
                return writer.finish().map(drop).map_err(fault);
            }
        };
        done.map_err(fault)?;
    }
    Err(Error::Abandoned)
}

fn fault(error: zip::result::ZipError) -> Error {
    match error {
        zip::result::ZipError::Io(error) => Error::Write(error),
        other => Error::Write(io::Error::other(other.to_string())),
    }
}

fn options(entry: &NewEntry) -> SimpleFileOptions {
    let mut options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        // Fields of 64 bits cost twenty bytes; files that grow past 4 GiB without them are lost.
        .large_file(entry.size_bytes >= u64::from(u32::MAX) / 2);
    if let Some(time) = entry.modified.and_then(dos_time) {
        options = options.last_modified_time(time);
    }
    options
}

fn dos_time(at: Timestamp) -> Option<zip::DateTime> {
    let at = jiff::Timestamp::from_millisecond(at.ms()).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let small = |value: i8| u8::try_from(value).unwrap_or(0);
    zip::DateTime::from_date_and_time(
        u16::try_from(at.year()).ok()?,
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
    )
    .ok()
}
