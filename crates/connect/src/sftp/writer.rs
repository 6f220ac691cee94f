//! Writing behind: many requests in flight, confirmed in the order of the file.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use futures::{FutureExt, StreamExt};
use russh_sftp::protocol::{FileAttributes, OpenFlags};

use super::error;
use super::session::{OpenHandle, Session};
use crate::connector::RemoteWriter;
use crate::fault::{Fault, FaultKind, Result};

/// A far file being written.
pub(super) struct Writer {
    handle: OpenHandle,
    /// Bytes that do not fill a request yet.
    pending: Vec<u8>,
    in_flight: FuturesOrdered<BoxFuture<'static, Result<u64>>>,
    /// Where the next request goes.
    sent_bytes: u64,
    confirmed_bytes: u64,
}

impl Writer {
    /// Opens the file at `path`, cut to `offset`.
    pub(super) async fn open(session: &Arc<Session>, path: &str, offset: u64) -> Result<Self> {
        let flags = match offset {
            0 => OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE,
            _ => OpenFlags::WRITE,
        };
        let handle = session
            .timed(session.raw.open(path, flags, FileAttributes::empty()))
            .await?
            .handle;
        let handle = OpenHandle::new(session, handle)?;
        if offset > 0 {
            cut(&handle, offset).await?;
        }
        let in_flight = FuturesOrdered::new();
        Ok(Self {
            handle,
            pending: Vec::new(),
            in_flight,
            sent_bytes: offset,
            confirmed_bytes: offset,
        })
    }

    /// Sends what is pending as one request.
    fn send(&mut self) {
        let data = std::mem::take(&mut self.pending);
        let (offset, length) = (self.sent_bytes, data.len() as u64);
        let raw = Arc::clone(&self.handle.session().raw);
        let handle = self.handle.text().to_owned();
        let request = async move {
            raw.write(handle, offset, data)
                .await
                .map(|_| length)
                .map_err(error::sftp)
        };
        self.in_flight.push_back(request.boxed());
        self.sent_bytes += length;
    }

    /// Counts what is confirmed already, and starts requests that were not polled yet.
    fn collect(&mut self) -> Result<()> {
        while let Some(Some(answer)) = self.in_flight.next().now_or_never() {
            self.confirmed_bytes += answer?;
        }
        Ok(())
    }

    /// Waits for the oldest request.
    async fn wait(&mut self) -> Result<()> {
        let idle_time = self.handle.session().idle_time;
        match tokio::time::timeout(idle_time, self.in_flight.next()).await {
            Ok(Some(answer)) => self.confirmed_bytes += answer?,
            Ok(None) => {}
            Err(_) => return Err(Fault::timeout("the SFTP server's confirmation")),
        }
        Ok(())
    }
}

/// Cuts the far file to `offset`. Bytes behind a checkpoint were never confirmed without a gap.
async fn cut(handle: &OpenHandle, offset: u64) -> Result<()> {
    let raw = &handle.session().raw;
    let size = handle
        .session()
        .timed(raw.fstat(handle.text()))
        .await?
        .attrs
        .size;
    if let Some(size) = size.filter(|size| *size < offset) {
        let message =
            format!("the far file holds {size} bytes, fewer than the {offset} to go on from");
        return Err(Fault::new(FaultKind::OffsetBeyondEnd, message));
    }
    if size != Some(offset) {
        let attributes = FileAttributes {
            size: Some(offset),
            ..FileAttributes::empty()
        };
        handle
            .session()
            .timed(raw.fsetstat(handle.text(), attributes))
            .await?;
    }
    Ok(())
}

#[async_trait]
impl RemoteWriter for Writer {
    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        let chunk_bytes = self.handle.session().chunk_bytes;
        let requests_max = self.handle.session().requests_max();
        while bytes.has_remaining() {
            if self.pending.capacity() == 0 {
                self.pending.reserve_exact(chunk_bytes);
            }
            let room = chunk_bytes
                .saturating_sub(self.pending.len())
                .min(bytes.len());
            self.pending.extend_from_slice(&bytes.split_to(room));
            if self.pending.len() < chunk_bytes {
                break;
            }
            while self.in_flight.len() >= requests_max {
                self.wait().await?;
            }
            self.send();
            self.collect()?;
        }
        Ok(())
    }

    fn confirmed_bytes(&self) -> u64 {
        self.confirmed_bytes
    }

    async fn flush(&mut self) -> Result<u64> {
        if !self.pending.is_empty() {
            self.send();
        }
        while !self.in_flight.is_empty() {
            self.wait().await?;
        }
        Ok(self.confirmed_bytes)
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        let bytes = self.flush().await?;
        let session = Arc::clone(self.handle.session());
        if session.offers.has_fsync {
            session.timed(session.raw.fsync(self.handle.text())).await?;
        }
        let size = session
            .timed(session.raw.fstat(self.handle.text()))
            .await?
            .attrs
            .size;
        if let Some(size) = size.filter(|size| *size != bytes) {
            return Err(Fault::protocol(format!(
                "the SFTP server confirmed {bytes} bytes, but its file holds {size}"
            )));
        }
        self.handle.close().await?;
        Ok(bytes)
    }
}
