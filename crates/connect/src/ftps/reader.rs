//! Reading: one `RETR`, checked against the size that the server told before.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::data::Data;
use super::pool::{Lease, Pool};
use super::stat;
use crate::connector::ByteStream;
use crate::fault::{Fault, FaultKind, Result};
use crate::path::RemotePath;

struct Reader {
    lease: Lease,
    data: Data,
    /// Bytes that are still to come, where the server tells sizes.
    left_bytes: Option<u64>,
}

/// The bytes of the file at `path` from `offset` on.
pub(super) async fn stream(pool: &Arc<Pool>, path: &RemotePath, offset: u64) -> Result<ByteStream> {
    let mut lease = pool.take().await?;
    let left_bytes = match stat::size(&mut lease, path).await? {
        Some(size) if size <= offset => return Ok(stream::empty().boxed()),
        Some(size) => Some(size - offset),
        None => None,
    };
    let command = format!("RETR {}", lease.far(path));
    let data = match lease.transfer(&command, offset).await {
        Ok(data) => data,
        Err(fault) => return Err(stat::clarified(&mut lease, fault, path).await),
    };
    let reader = Reader {
        lease,
        data,
        left_bytes,
    };
    Ok(stream::try_unfold(reader, next).boxed())
}

async fn next(mut reader: Reader) -> Result<Option<(Bytes, Reader)>> {
    let bytes = match reader.data.read().await {
        Ok(bytes) => bytes,
        Err(fault) => return Err(reader.lease.explained(fault).await),
    };
    if bytes.is_empty() {
        return reader.end().await.map(|()| None);
    }
    if let Some(left) = &mut reader.left_bytes {
        *left = left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            let message = "the FTP server sends more bytes than the file had when reading began";
            Fault::new(FaultKind::Changed, message)
        })?;
    }
    Ok(Some((bytes, reader)))
}

impl Reader {
    /// Whatever the server says at the end: bytes that are missing are missing.
    async fn end(mut self) -> Result<()> {
        let is_complete = match self.left_bytes {
            Some(left) => left == 0,
            None => self.data.is_whole(),
        };
        if !is_complete {
            let message = "the data connection ended before the file did";
            let fault = Fault::new(FaultKind::ConnectionLost, message);
            return Err(self.lease.explained(fault).await);
        }
        self.lease.ended(self.data).await.map(|_| ())
    }
}
