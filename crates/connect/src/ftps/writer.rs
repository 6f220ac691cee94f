//! Writing: `STOR`, which confirms nothing before its end. So a checkpoint ends it, compares the size, and the next bytes
//! go on with `REST` and another `STOR`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use super::data::Data;
use super::pool::{Lease, Pool};
use super::{cut, error, stat};
use crate::connector::RemoteWriter;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;
use crate::path::RemotePath;

/// A far file being written.
pub(super) struct Writer {
    pool: Arc<Pool>,
    path: RemotePath,
    /// The transfer under way, and its connections.
    upload: Option<(Lease, Data)>,
    /// Where that transfer began.
    began_bytes: u64,
    sent_bytes: u64,
    confirmed_bytes: u64,
    /// What the file held when this writer came. Going on does not cut it on most servers.
    old_bytes: u64,
    /// The server tells sizes and takes up uploads.
    can_go_on: bool,
    checkpoint_at: Instant,
    checkpoint_time: Duration,
}

impl Writer {
    /// Begins anew, or takes up what is there.
    pub(super) async fn open(pool: &Arc<Pool>, path: &RemotePath, offset: u64) -> Result<Self> {
        pool.settle().await;
        let mut lease = pool.take().await?;
        let offers = lease.offers();
        let mut writer = Self {
            pool: Arc::clone(pool),
            path: path.clone(),
            upload: None,
            began_bytes: offset,
            sent_bytes: offset,
            confirmed_bytes: offset,
            old_bytes: 0,
            can_go_on: offers.has_size && offers.has_rest,
            checkpoint_at: Instant::now(),
            checkpoint_time: Duration::ZERO,
        };
        if offset == 0 {
            writer.begin(lease).await?;
            return Ok(writer);
        }
        if !writer.can_go_on {
            return Err(Fault::unsupported("going on with an upload"));
        }
        let size = stat::settled_size(&mut lease, path).await?;
        let size = size.ok_or_else(|| Fault::unsupported("going on with an upload"))?;
        if size < offset {
            let message =
                format!("the far file holds {size} bytes, fewer than the {offset} to go on from");
            return Err(Fault::new(FaultKind::OffsetBeyondEnd, message));
        }
        writer.old_bytes = size;
        Ok(writer)
    }

    /// Begins a transfer where the last one ended.
    async fn begin(&mut self, mut lease: Lease) -> Result<&mut (Lease, Data)> {
        let command = format!("STOR {}", lease.far(&self.path));
        let data = match lease.transfer(&command, self.sent_bytes).await {
            Ok(data) => data,
            Err(fault) => return Err(stat::clarified_new(&mut lease, fault, &self.path).await),
        };
        self.began_bytes = self.sent_bytes;
        Ok(self.upload.insert((lease, data)))
    }

    /// Ends the transfer under way and has the server say how far the file goes.
    async fn confirm(&mut self) -> Result<()> {
        let Some((mut lease, data)) = self.upload.take() else {
            return self.whole();
        };
        let begun = Instant::now();
        lease.written(data).await?;
        if let Some(size) = stat::size(&mut lease, &self.path).await? {
            self.compare(size)?;
        }
        self.confirmed_bytes = self.sent_bytes;
        self.checkpoint_at = Instant::now();
        self.checkpoint_time = begun.elapsed();
        Ok(())
    }

    fn compare(&mut self, size: u64) -> Result<()> {
        let sent = self.sent_bytes;
        if size == sent || (size > sent && size == self.old_bytes) {
            self.old_bytes = size;
            return Ok(());
        }
        let message = format!("{sent} bytes were sent, but the far file holds {size}");
        let kind = if size > sent {
            FaultKind::Changed // somebody else writes it, too
        } else if size < self.began_bytes {
            FaultKind::Unsupported // the offset was not heeded
        } else {
            FaultKind::ConnectionLost // what was on the way got lost
        };
        Err(Fault::new(kind, message))
    }

    /// After a transfer that failed, nobody knows what of it arrived.
    fn whole(&self) -> Result<()> {
        if self.sent_bytes == self.confirmed_bytes {
            Ok(())
        } else {
            Err(error::ended())
        }
    }

    /// Where a checkpoint takes long, it is worth one only after a while.
    fn is_checkpoint_due(&self) -> bool {
        let wait = self.checkpoint_time * limit::FTPS_CHECKPOINT_TIMES;
        let unconfirmed = self.sent_bytes - self.confirmed_bytes;
        unconfirmed >= limit::FTPS_UNCONFIRMED_BYTES_MAX || self.checkpoint_at.elapsed() >= wait
    }
}

#[async_trait]
impl RemoteWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.upload.is_none() {
            self.whole()?;
            let lease = self.pool.take().await?;
            self.begin(lease).await?;
        }
        let Some((lease, data)) = &mut self.upload else {
            return Err(error::ended());
        };
        // Counted first: if this is broken off, nobody knows how many of them arrived.
        self.sent_bytes += bytes.len() as u64;
        let Err(fault) = data.write(&bytes).await else {
            return Ok(());
        };
        let fault = lease.explained(fault).await;
        self.upload = None;
        Err(fault)
    }

    fn confirmed_bytes(&self) -> u64 {
        self.confirmed_bytes
    }

    async fn flush(&mut self) -> Result<u64> {
        if self.sent_bytes == self.confirmed_bytes {
            return Ok(self.confirmed_bytes);
        }
        if self.upload.is_none() || (self.can_go_on && self.is_checkpoint_due()) {
            self.confirm().await?;
        }
        Ok(self.confirmed_bytes)
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        self.confirm().await?;
        if self.old_bytes > self.sent_bytes {
            cut::cut(&self.pool, &self.path, self.sent_bytes).await?;
        }
        Ok(self.sent_bytes)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some((lease, data)) = self.upload.take() {
            lease.break_off(data);
        }
    }
}
