//! Writing: one request a file.

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;

use super::{Webdav, error};
use crate::connector::{RemoteWriter, WriteOptions};
use crate::fault::{Fault, FaultKind, Result};
use crate::http::Whole;
use crate::path::RemotePath;

pub(super) struct Writer {
    far: Webdav,
    path: RemotePath,
    /// Until it has ended.
    whole: Option<Whole>,
}

impl Writer {
    pub(super) fn open(far: &Webdav, path: &RemotePath, options: &WriteOptions) -> Result<Self> {
        if options.offset > 0 {
            return Err(Fault::new(
                FaultKind::OffsetBeyondEnd,
                "WebDAV keeps nothing of a file that did not come whole: begin again",
            ));
        }
        let request = far.site.request(Method::PUT, far.url(path));
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

    fn what(&self) -> String {
        format!("writing `{}`", self.path)
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
        error::changed(whole.finish().await?, &self.what()).await?;
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
        error::changed(whole.finish().await?, &self.what()).await?;
        let found = self.far.find(&self.path).await?;
        let size = found.and_then(|found| found.size_bytes);
        match size {
            Some(size) if size != bytes => Err(Fault::protocol(format!(
                "{bytes} bytes were written, but the server's file has {size}"
            ))),
            _ => Ok(bytes),
        }
    }
}
