//! From asynchronous streams to the blocking libraries below, and back.
//!
//! The work runs on a thread for blocking work and waits there for its streams; what is in flight is one piece each way. A caller
//! that drops the future is noticed at the next piece, so work ends as soon as its streams move or end.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncSeek, AsyncWrite};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::runtime::Handle;

use crate::limit::{PIECE_BYTES, RATIO_FREE_BYTES};
use crate::{Error, Result};

/// Reads `input`, writes `output`, and ends the output only if all went well.
pub(crate) async fn transform<R, W, T, F>(input: R, output: W, work: F) -> Result<T>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
    T: Send + 'static,
    F: FnOnce(Source, &mut dyn Write) -> Result<T> + Send + 'static,
{
    run(move |meter| {
        let source = Source::new(Bridge::new(input), meter);
        let mut sink = Bridge::new(output);
        let value = work(source, &mut sink)?;
        sink.flush().map_err(Error::Write)?;
        sink.shutdown().map_err(Error::Write)?;
        Ok(value)
    })
    .await
}

/// Reads `input` only.
pub(crate) async fn inspect<R, T, F>(input: R, work: F) -> Result<T>
where
    R: AsyncRead + Send + Unpin + 'static,
    T: Send + 'static,
    F: FnOnce(Source) -> Result<T> + Send + 'static,
{
    run(move |meter| work(Source::new(Bridge::new(input), meter))).await
}

/// Reads `input` here and there.
pub(crate) async fn search<R, T, F>(input: R, work: F) -> Result<T>
where
    R: AsyncRead + AsyncSeek + Send + Unpin + 'static,
    T: Send + 'static,
    F: FnOnce(SeekSource<Bridge<R>>) -> Result<T> + Send + 'static,
{
    run(move |meter| {
        work(SeekSource {
            inner: Bridge::new(input),
            meter,
        })
    })
    .await
}

/// Blocking work that learns when nobody waits for it any more.
pub(crate) async fn run<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(Arc<Meter>) -> Result<T> + Send + 'static,
{
    let meter = Arc::new(Meter::default());
    let _abandon = AbandonOnDrop(Arc::clone(&meter));
    match tokio::task::spawn_blocking(move || work(meter)).await {
        Ok(outcome) => outcome,
        // A library that panics at hostile content would do so again: no reason to repeat the step.
        Err(error) if error.is_panic() => Err(Error::Broken),
        Err(_) => Err(Error::Abandoned),
    }
}

/// What is known of an input while it is read.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    read_bytes: AtomicU64,
    silent_bytes: AtomicU64,
    silent_bytes_max: AtomicU64,
    has_failed: AtomicBool,
    is_abandoned: AtomicBool,
}

impl Meter {
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    /// From now on the input may give this much without any output.
    pub(crate) fn limit_silence(&self, bytes: u64) {
        self.silent_bytes_max.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn has_output(&self) {
        self.silent_bytes.store(0, Ordering::Relaxed);
    }

    /// Whether the input itself failed, and not what it holds.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }

    fn admit(&self, outcome: io::Result<usize>) -> io::Result<usize> {
        match outcome {
            Ok(count) => {
                self.read_bytes.fetch_add(count as u64, Ordering::Relaxed);
                let silent = self.silent_bytes.fetch_add(count as u64, Ordering::Relaxed);
                let limit = self.silent_bytes_max.load(Ordering::Relaxed);
                if limit > 0 && silent > limit {
                    return Err(io::Error::other("too much that is not content"));
                }
                Ok(count)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.has_failed.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.is_abandoned() {
            self.has_failed.store(true, Ordering::Relaxed);
            return Err(io::Error::other("the work was given up"));
        }
        Ok(())
    }
}

/// An asynchronous stream as a blocking one; only for threads that may block.
pub(crate) struct Bridge<S> {
    stream: S,
    runtime: Handle,
}

impl<S> Bridge<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            runtime: Handle::current(),
        }
    }
}

impl<S: AsyncRead + Unpin> Read for Bridge<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.runtime.block_on(self.stream.read(buffer))
    }
}

impl<S: AsyncSeek + Unpin> Seek for Bridge<S> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.runtime.block_on(self.stream.seek(place))
    }
}

impl<S: AsyncWrite + Unpin> Write for Bridge<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.runtime.block_on(self.stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.runtime.block_on(self.stream.flush())
    }
}

impl<S: AsyncWrite + Unpin> Bridge<S> {
    fn shutdown(&mut self) -> io::Result<()> {
        self.runtime.block_on(self.stream.shutdown())
    }
}

struct AbandonOnDrop(Arc<Meter>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.is_abandoned.store(true, Ordering::Relaxed);
    }
}

/// An input that counts what it gave.
pub struct Source {
    inner: Box<dyn Read + Send>,
    meter: Arc<Meter>,
}

impl Source {
    pub(crate) fn new(inner: impl Read + Send + 'static, meter: Arc<Meter>) -> Self {
        Self {
            inner: Box::new(inner),
            meter,
        }
    }

    pub(crate) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Source").finish_non_exhaustive()
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.meter.check()?;
        let outcome = self.inner.read(buffer);
        self.meter.admit(outcome)
    }
}

/// An input that can be read from any place.
pub(crate) struct SeekSource<R> {
    pub(crate) inner: R,
    pub(crate) meter: Arc<Meter>,
}

impl<R: Read> Read for SeekSource<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.meter.check()?;
        let outcome = self.inner.read(buffer);
        self.meter.admit(outcome)
    }
}

impl<R: Seek> Seek for SeekSource<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.inner.seek(place)
    }
}

/// How much may come out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    pub(crate) bytes_max: u64,
    pub(crate) ratio_max: u64,
}

impl Allowance {
    /// Whether `written` bytes may have come of `read` bytes.
    pub(crate) fn admit(&self, written: u64, read: u64) -> Result<()> {
        if written > self.bytes_max {
            return Err(Error::TooLarge {
                limit: self.bytes_max,
            });
        }
        if written > RATIO_FREE_BYTES && written / read.max(1) > self.ratio_max {
            return Err(Error::TooDense {
                limit: self.ratio_max,
            });
        }
        Ok(())
    }
}

/// Moves all of `from` into `to` within the allowance. `fault` tells what a failed read means.
pub(crate) fn pump(
    from: &mut dyn Read,
    to: &mut dyn Write,
    meter: &Meter,
    allowance: Allowance,
    fault: &dyn Fn(io::Error) -> Error,
) -> Result<u64> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut written = 0;
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => return Ok(written),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(read_fault(error, meter, fault)),
        };
        meter.has_output();
        written += count as u64;
        allowance.admit(written, meter.read_bytes())?;
        let bytes = piece.get(..count).unwrap_or_default();
        to.write_all(bytes).map_err(Error::Write)?;
    }
}

/// The input's own failures stay what they are.
pub(crate) fn read_fault(
    error: io::Error,
    meter: &Meter,
    fault: &dyn Fn(io::Error) -> Error,
) -> Error {
    if meter.is_abandoned() {
        Error::Abandoned
    } else if meter.has_failed() {
        Error::Read(error)
    } else {
        fault(error)
    }
}
