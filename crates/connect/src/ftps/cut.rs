//! Cutting a far file. The protocol has no command for it, and most servers leave what lies behind an upload that began
//! inside a file. It is rare: only an upload that was taken up and ends before the end of what an earlier one left there.
//! Then what is to stay is copied through here to a name beside it, which takes the file's place.

use std::sync::Arc;

use super::pool::Pool;
use super::{rename, stat};
use crate::fault::{Fault, FaultKind, Result};
use crate::path::RemotePath;

/// Leaves the first `keep_bytes` of the file `path`.
pub(super) async fn cut(pool: &Arc<Pool>, path: &RemotePath, keep_bytes: u64) -> Result<()> {
    let aside = path
        .temporary("cut")
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let copied = copy(pool, path, &aside, keep_bytes).await;
    let mut lease = pool.take().await?;
    let replaced = match copied {
        Ok(()) => rename::replace(&mut lease, &aside, path).await,
        Err(fault) => Err(fault),
    };
    if replaced.is_err() && lease.is_ready() {
        let command = format!("DELE {}", lease.far(&aside));
        let _ = lease.command(&command).await; // the fault that is reported is the first one
    }
    replaced
}

async fn copy(pool: &Arc<Pool>, from: &RemotePath, to: &RemotePath, bytes: u64) -> Result<()> {
    let (mut source, mut target) = (pool.take().await?, pool.take().await?);
    let command = format!("RETR {}", source.far(from));
    let mut reading = source.transfer(&command, 0).await?;
    let command = format!("STOR {}", target.far(to));
    let mut writing = target.transfer(&command, 0).await?;
    let mut left_bytes = bytes;
    while left_bytes > 0 {
        let mut piece = reading.read().await?;
        if piece.is_empty() {
            let message = "the data connection ended before the file did";
            return Err(Fault::new(FaultKind::ConnectionLost, message));
        }
        piece.truncate(usize::try_from(left_bytes).unwrap_or(usize::MAX));
        writing.write(&piece).await?;
        left_bytes -= piece.len() as u64;
    }
    target.written(writing).await?;
    match stat::size(&mut target, to).await? {
        Some(size) if size != bytes => Err(Fault::new(
            FaultKind::ConnectionLost,
            format!("{bytes} bytes were sent, but the far file holds {size}"),
        )),
        _ => Ok(()),
    }
}
