//! Files of Bailee as the streams that the content library reads.

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bailee_content::limit::PIECE_BYTES;
use bailee_core::model::{Error, FlowFile, StepFault};
use bailee_core::{ByteStream, Caller, Core, FileRef, RandomRead};
use bytes::Bytes;
use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeek, ReadBuf};
use tokio_util::io::StreamReader;

use super::fault::of_core;

/// Bytes that come in their order.
pub(super) type Input = Pin<Box<dyn AsyncRead + Send>>;

/// A step's file from its first byte to its last.
pub(super) async fn open(
    core: &Core,
    caller: &Caller,
    file: &FlowFile,
) -> Result<Input, StepFault> {
    let input = read(core, caller, file).await;
    input.map_err(|error| of_core(&error))
}

/// The same, where a failure is the stream's.
pub(super) async fn read(core: &Core, caller: &Caller, file: &FlowFile) -> Result<Input, Error> {
    let open = core.files().open(caller, FileRef::Id(file.file_id)).await?;
    Ok(reader(open.stream(0..open.file.size_bytes).await?))
}

/// A step's file from any place.
pub(super) async fn open_random(
    core: &Core,
    caller: &Caller,
    file: &FlowFile,
) -> Result<Seekable, StepFault> {
    let open = core.files().open(caller, FileRef::Id(file.file_id)).await;
    let open = open.map_err(|error| of_core(&error))?;
    let random = open.random().await.map_err(|error| of_core(&error))?;
    Ok(Seekable {
        random: Arc::new(random),
        size_bytes: open.file.size_bytes,
        place: 0,
        stream: None,
        held: Bytes::new(),
    })
}

/// All of a small file; `None` if it has more than `bytes_max`.
pub(super) async fn small(
    core: &Core,
    caller: &Caller,
    file: FileRef,
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, StepFault> {
    let open = core.files().open(caller, file).await;
    let open = open.map_err(|error| of_core(&error))?;
    if open.file.size_bytes > bytes_max as u64 {
        return Ok(None);
    }
    let stream = open.stream(0..open.file.size_bytes).await;
    let mut input = reader(stream.map_err(|error| of_core(&error))?);
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| from_io(&error))?;
    Ok(Some(bytes))
}

fn reader(stream: ByteStream) -> Input {
    Box::pin(StreamReader::new(
        stream.map(|piece| piece.map_err(io::Error::other)),
    ))
}

/// An error of a stream of ours, which holds one of core's.
pub(super) fn from_io(error: &io::Error) -> StepFault {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(inner) => of_core(inner),
        None => StepFault::transient("content_unreadable", format!("{error}.")),
    }
}

/// Forward jumps up to here are read over, which is cheaper than to begin anew.
const SKIPPED_BYTES_MAX: u64 = PIECE_BYTES as u64;

/// A file that is read from any place, in one direction at a time.
pub(super) struct Seekable {
    random: Arc<RandomRead>,
    size_bytes: u64,
    /// Of the next byte that is given out.
    place: u64,
    stream: Option<ByteStream>,
    /// Read and not given out.
    held: Bytes,
}

impl AsyncRead for Seekable {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.place >= this.size_bytes || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        while this.held.is_empty() {
            let (place, size_bytes) = (this.place, this.size_bytes);
            let random = &this.random;
            let stream = this
                .stream
                .get_or_insert_with(|| random.range(place..size_bytes));
            match stream.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Err(error))) => {
                    this.stream = None;
                    return Poll::Ready(Err(io::Error::other(error)));
                }
                Poll::Ready(Some(Ok(piece))) => this.held = piece,
            }
        }
        let count = this.held.len().min(buffer.remaining());
        buffer.put_slice(&this.held.split_to(count));
        this.place += count as u64;
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for Seekable {
    fn start_seek(self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        let this = self.get_mut();
        let target = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => this.size_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => this.place.checked_add_signed(by),
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        let skipped = target.checked_sub(this.place);
        match skipped {
            // What is at hand is passed over; anything farther is read anew from there.
            Some(skipped) if skipped <= this.held.len() as u64 && skipped <= SKIPPED_BYTES_MAX => {
                drop(this.held.split_to(skipped as usize));
            }
            _ => {
                this.held = Bytes::new();
                this.stream = None;
            }
        }
        this.place = target;
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.place))
    }
}
