//! Writing: one request a file.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Https, HttpsMethod, error};
use crate::connector::{RemoteWriter, WriteOptions};
use crate::fault::{Fault, FaultKind, Result};
use crate::http::Whole;
use crate::path::RemotePath;

pub(super) struct Writer {
    far: Https,
    path: RemotePath,
    /// Until it has ended.
    whole: Option<Whole>,
}

impl Writer {
    pub(super) fn open(far: &Https, path: &RemotePath, options: &WriteOptions) -> Result<Self> {
        if options.offset > 0 {
            return Err(Fault::new(
                FaultKind::OffsetBeyondEnd,
                "a web server keeps nothing of a file that did not come whole: begin again",
            ));
        }
        let request = far.site.request(far.write_method(), far.url(path));
        Ok(Self {
            far: far.clone(),
            path: path.clone(),
            whole: Some(Whole::new(&far.site.client, request, options.size_hint)),
        })
    }

    fn take(&mut self) -> Result<Whole> {
        self.whole
            .take()
            .ok_or_else(|| Fault::new(FaultKind::Invalid, "this file has ended already"))
    }

    /// The server need not say how large a file is, or let us ask; but if it does, it must be right.
    async fn check(&self, bytes: u64) -> Result<()> {
        if self.far.method != HttpsMethod::Put {
            return Ok(());
        }
        let size = match self.far.head(&self.path).await {
            Ok(found) => found.and_then(|head| head.size_bytes),
            Err(fault) if fault.is_transient() => return Err(fault),
            Err(_) => None,
        };
        match size {
            Some(size) if size != bytes => Err(Fault::protocol(format!(
                "{bytes} bytes were written, but the server's file has {size}"
            ))),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl RemoteWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut whole = self.take()?;
        if whole.give(bytes).await? {
            self.whole = Some(whole);
            return Ok(());
        }
        error::written(whole.finish().await?, &self.path).await?;
        Err(Fault::protocol("the server answered before the file's end"))
    }

    fn confirmed_bytes(&self) -> u64 {
        0
    }

    async fn flush(&mut self) -> Result<u64> {
        Ok(0)
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        let whole = self.take()?;
        let bytes = whole.taken_bytes();
        error::written(whole.finish().await?, &self.path).await?;
        self.check(bytes).await?;
        Ok(bytes)
    }
}
