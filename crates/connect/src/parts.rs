//! Large files in parts: each part is a request whose body is given while it runs.
//!
//! A part whose length is known beforehand goes out as its bytes come in. Where it is not known (the file's size was not
//! declared, or this is its end) the bytes are held until there is a part of them, at most [`PartSizes::held_bytes`]. So
//! a writer needs that much memory and a few pieces on the way, however large file and parts are.

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest};
use reqwest::Body;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::connector::RemoteWriter;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::{Feed, feed};
use crate::limit;

/// What a protocol allows its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// What must get through within [`limit::IDLE_TIME_MAX`].
    pub piece_bytes_max: usize,
    /// How long an answer may take that comes before the body is over, and any other unless it is said.
    pub answer_time_max: Duration,
}

impl Bounds {
    const USUAL: Self = Self {
        piece_bytes_max: limit::BODY_PIECE_BYTES_MAX,
        answer_time_max: limit::FAR_WORK_TIME_MAX,
    };
}

/// A request that is taking its body. Dropped, it is broken off.
pub(crate) struct Outgoing<T> {
    bounds: Bounds,
    feed: Feed,
    left_bytes: u64,
    request: AbortOnDropHandle<Result<T>>,
}

impl<T: Send + 'static> Outgoing<T> {
    /// Begins the request that `start` makes with a body of `length_bytes`. The request must state that length.
    pub(crate) fn begin<F>(length_bytes: u64, start: impl FnOnce(Body) -> F) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        Self::begin_within(Bounds::USUAL, length_bytes, start)
    }

    /// The same with bounds of the protocol's own.
    pub(crate) fn begin_within<F>(
        bounds: Bounds,
        length_bytes: u64,
        start: impl FnOnce(Body) -> F,
    ) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (feed, body) = feed();
        let body = if length_bytes == 0 {
            Body::from(Bytes::new())
        } else {
            body
        };
        Self {
            bounds,
            feed,
            left_bytes: length_bytes,
            request: AbortOnDropHandle::new(tokio::spawn(start(body))),
        }
    }

    /// Sends all of `bytes` and waits for the answer.
    pub(crate) async fn whole<F>(mut bytes: Bytes, start: impl FnOnce(Body) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let mut outgoing = Self::begin(bytes.len() as u64, start);
        outgoing.give(&mut bytes).await?;
        outgoing.receipt().await
    }

    /// Gives what belongs to this body from the front of `bytes`, and says how many bytes it lacks then.
    pub(crate) async fn give(&mut self, bytes: &mut Bytes) -> Result<u64> {
        while self.left_bytes > 0 && !bytes.is_empty() {
            let room = usize::try_from(self.left_bytes).unwrap_or(usize::MAX);
            let piece = bytes.split_to(room.min(bytes.len()).min(self.bounds.piece_bytes_max));
            let length = piece.len() as u64;
            match timeout(limit::IDLE_TIME_MAX, self.feed.give(piece)).await {
                Ok(true) => self.left_bytes -= length,
                Ok(false) => return Err(self.early_end().await),
                Err(_) => return Err(Fault::timeout("sending to the far system")),
            }
        }
        Ok(self.left_bytes)
    }

    /// The answer to a request that has its whole body.
    pub(crate) async fn receipt(self) -> Result<T> {
        let time_max = self.bounds.answer_time_max;
        self.receipt_within(time_max).await
    }

    /// The same for an answer that may take its own time.
    pub(crate) async fn receipt_within(self, time_max: Duration) -> Result<T> {
        drop(self.feed);
        match timeout(time_max, self.request).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Fault::new(FaultKind::Io, "the request was broken off")),
            Err(_) => Err(Fault::timeout("the far system's answer")),
        }
    }

    /// Ends the request so that the far side does not take what came for the whole.
    async fn break_off(self, why: Fault) {
        // If the far side takes nothing any more, dropping the request ends it as well.
        let _ = timeout(limit::CLOSE_TIME_MAX, self.feed.break_off(why)).await;
    }

    /// Why nobody takes the body any more.
    async fn early_end(&mut self) -> Fault {
        match timeout(self.bounds.answer_time_max, &mut self.request).await {
            Ok(Ok(Err(fault))) => fault,
            Ok(_) => Fault::protocol("the far system answered before it had everything"),
            Err(_) => Fault::timeout("the far system's answer"),
        }
    }
}

/// How long the next part may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartSizes {
    /// A part that is given while it is sent.
    pub streamed_bytes: u64,
    /// A part that is held first.
    pub held_bytes: usize,
}

/// What is known of a part that the far side has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakenPart {
    pub length_bytes: u64,
    /// By [`PartTarget::CHECKSUM`].
    pub checksum: u64,
}

/// One upload in one protocol.
#[async_trait]
pub(crate) trait PartTarget: Send + Sized {
    /// What the far side's answer to a part says.
    type Receipt: Send + 'static;
    /// What is reckoned over each part as it goes.
    const CHECKSUM: CrcAlgorithm;

    /// How long the next part may be, if `left_bytes` are declared to follow.
    fn sizes(&self, left_bytes: Option<u64>) -> Result<PartSizes>;

    /// Begins the request for the next part, of `length_bytes`.
    async fn begin(&mut self, length_bytes: u64) -> Result<Outgoing<Self::Receipt>>;

    /// Judges the far side's answer, and counts the part.
    fn taken(&mut self, receipt: Self::Receipt, part: TakenPart) -> Result<()>;

    /// Counts bytes that were not sent, because the far side held them when the write went on.
    fn skipped(&mut self, _part: TakenPart) {}

    /// See [`RemoteWriter::token`].
    fn token(&self) -> Option<String>;

    /// Sends the `rest` behind the parts, makes the file appear, and returns its size.
    async fn finish(self, rest: Bytes) -> Result<u64>;
}

/// Cuts a file into parts: the writer of every protocol that takes them.
pub(crate) struct Cutter<T: PartTarget> {
    target: T,
    streamed: Option<Streamed<T::Receipt>>,
    held: BytesMut,
    /// All bytes before those held and those of a part on its way.
    confirmed_bytes: u64,
    declared_bytes: Option<u64>,
    /// Bytes that the far side holds beyond the confirmed ones, from an earlier writer.
    skipped: Option<Skipped>,
    /// A part failed: what came after it cannot be placed any more.
    is_broken: bool,
}

struct Skipped {
    left_bytes: u64,
    length_bytes: u64,
    digest: Digest,
}

struct Streamed<R> {
    outgoing: Outgoing<R>,
    length_bytes: u64,
    digest: Digest,
}

impl<T: PartTarget> Cutter<T> {
    /// A writer that goes on at `offset` of a file that is declared to have `declared_bytes`.
    pub(crate) fn new(target: T, offset: u64, declared_bytes: Option<u64>) -> Self {
        Self {
            target,
            streamed: None,
            held: BytesMut::new(),
            confirmed_bytes: offset,
            declared_bytes,
            skipped: None,
            is_broken: false,
        }
    }

    /// The same writer for a far side that holds `length_bytes` more than was confirmed, and keeps them: as many bytes
    /// from the caller are counted, and not sent.
    pub(crate) fn skipping(mut self, length_bytes: u64) -> Self {
        self.skipped = (length_bytes > 0).then(|| Skipped {
            left_bytes: length_bytes,
            length_bytes,
            digest: Digest::new(T::CHECKSUM),
        });
        self
    }

    async fn take(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            if self.skipped.is_some() {
                self.skip(&mut bytes);
                continue;
            }
            if self.streamed.is_some() {
                self.stream(&mut bytes).await?;
                continue;
            }
            let left = self
                .declared_bytes
                .map(|all| all.saturating_sub(self.confirmed_bytes));
            let sizes = self.target.sizes(left)?;
            if self.held.is_empty() && left.is_some_and(|left| left > sizes.streamed_bytes) {
                self.streamed = Some(Streamed {
                    outgoing: self.target.begin(sizes.streamed_bytes).await?,
                    length_bytes: sizes.streamed_bytes,
                    digest: Digest::new(T::CHECKSUM),
                });
                continue;
            }
            let room = sizes.held_bytes.saturating_sub(self.held.len());
            if bytes.len() > limit::BODY_PIECE_BYTES_MAX
                || self.held.len() > limit::BODY_PIECE_BYTES_MAX
            {
                self.held.reserve(room);
            }
            self.held
                .extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.held.len() >= sizes.held_bytes {
                self.send_held().await?;
            }
        }
        Ok(())
    }

    /// Gives from the front of `bytes` to the part on its way, and waits for its answer once it is full.
    async fn stream(&mut self, bytes: &mut Bytes) -> Result<()> {
        let Some(mut part) = self.streamed.take() else {
            return Ok(());
        };
        let before = bytes.clone();
        let left_bytes = part.outgoing.give(bytes).await?;
        let given = before.len() - bytes.len();
        part.digest.update(before.get(..given).unwrap_or_default());
        if left_bytes > 0 {
            self.streamed = Some(part);
            return Ok(());
        }
        let receipt = part.outgoing.receipt().await?;
        let taken = TakenPart {
            length_bytes: part.length_bytes,
            checksum: part.digest.finalize(),
        };
        self.count(receipt, taken)
    }

    fn skip(&mut self, bytes: &mut Bytes) {
        let Some(mut skipped) = self.skipped.take() else {
            return;
        };
        let room = usize::try_from(skipped.left_bytes).unwrap_or(usize::MAX);
        let piece = bytes.split_to(room.min(bytes.len()));
        skipped.digest.update(&piece);
        skipped.left_bytes -= piece.len() as u64;
        if skipped.left_bytes > 0 {
            self.skipped = Some(skipped);
            return;
        }
        self.target.skipped(TakenPart {
            length_bytes: skipped.length_bytes,
            checksum: skipped.digest.finalize(),
        });
        self.confirmed_bytes += skipped.length_bytes;
    }

    async fn send_held(&mut self) -> Result<()> {
        let mut part = std::mem::take(&mut self.held).freeze();
        let taken = TakenPart {
            length_bytes: part.len() as u64,
            checksum: crc_fast::checksum(T::CHECKSUM, &part),
        };
        let mut outgoing = self.target.begin(taken.length_bytes).await?;
        outgoing.give(&mut part).await?;
        let receipt = outgoing.receipt().await?;
        self.count(receipt, taken)
    }

    fn count(&mut self, receipt: T::Receipt, taken: TakenPart) -> Result<()> {
        self.target.taken(receipt, taken)?;
        self.confirmed_bytes += taken.length_bytes;
        Ok(())
    }
}

#[async_trait]
impl<T: PartTarget> RemoteWriter for Cutter<T> {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if self.is_broken {
            return Err(broken());
        }
        self.is_broken = true; // also if the caller drops this future in the middle
        self.take(bytes).await?;
        self.is_broken = false;
        Ok(())
    }

    fn confirmed_bytes(&self) -> u64 {
        self.confirmed_bytes
    }

    fn token(&self) -> Option<String> {
        self.target.token()
    }

    async fn flush(&mut self) -> Result<u64> {
        Ok(self.confirmed_bytes)
    }

    async fn finish(self: Box<Self>) -> Result<u64> {
        if self.is_broken {
            return Err(broken());
        }
        if self.skipped.is_some() {
            let message = "the far side holds more bytes of an earlier write than the file has now";
            return Err(Fault::new(FaultKind::Changed, message));
        }
        if let Some(part) = self.streamed {
            let early = || {
                let message = "the file ended before the size that was declared for it";
                Fault::new(FaultKind::Changed, message)
            };
            part.outgoing.break_off(early()).await;
            return Err(early());
        }
        self.target.finish(self.held.freeze()).await
    }
}

fn broken() -> Fault {
    Fault::new(
        FaultKind::ConnectionLost,
        "an earlier part of this write failed",
    )
}
