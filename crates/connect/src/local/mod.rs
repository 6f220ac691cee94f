//! Folders on this machine, from a list of roots that the operator allows.
//!
//! Every path is opened beneath the root by the kernel, without following symbolic links (`openat2` with
//! `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`): neither `..` nor a link planted in the folder leads out of it.

mod beneath;
mod config;
mod error;
mod reader;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use bailee_model::Timestamp;

use self::beneath::Root;
pub use self::config::LocalConfig;
use crate::connector::{
    ByteStream, Capabilities, Connector, Listing, ReadFrom, RemoteEntry, RemoteWriter, Replace,
    WriteOptions,
};
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;
use crate::page::Page;
use crate::path::RemotePath;

/// A folder on this machine as far system.
#[derive(Debug)]
pub(crate) struct Local {
    root: Arc<Root>,
}

impl Local {
    pub(crate) async fn open(config: LocalConfig) -> Result<Self> {
        let root = blocking(move || Root::open(&config)).await?;
        Ok(Self {
            root: Arc::new(root),
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let root = Arc::clone(&self.root);
        blocking(move || work(&root)).await
    }
}

/// Runs file calls off the async threads; they may wait for a disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Fault::new(FaultKind::Io, "a file operation was cut off").because(error))
        })
}

#[async_trait]
impl Connector for Local {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            can_set_time: true,
            ..Capabilities::FOLDERS
        }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        let path = path.clone();
        self.run(move |root| root.stat(&path)).await
    }

    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        let path = path.clone();
        self.run(move |root| root.list(&path, limit.min(limit::LIST_ENTRIES_MAX)))
            .await
    }

    async fn list_after(&self, path: &RemotePath, after: &str, limit: usize) -> Result<Listing> {
        let (path, page) = (path.clone(), Page::behind(after, limit));
        self.run(move |root| root.page(&path, page)).await
    }

    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream> {
        let (path, shown) = (path.clone(), path.clone());
        let file = self.run(move |root| root.open_to_read(&path)).await?;
        reader::stream(file, shown, from.offset).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>> {
        let (path, shown) = (path.clone(), path.clone());
        let opened = self
            .run(move |root| root.open_to_write(&path, options.offset))
            .await?;
        Ok(Box::new(writer::Writer::new(opened, shown, options.offset)))
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        let (from, to) = (from.clone(), to.clone());
        self.run(move |root| root.rename(&from, &to, replace)).await
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        let path = path.clone();
        self.run(move |root| root.remove(&path)).await
    }

    async fn mkdir(&self, path: &RemotePath) -> Result<()> {
        let path = path.clone();
        self.run(move |root| root.mkdir(&path)).await
    }

    async fn set_modified(&self, path: &RemotePath, modified: Timestamp) -> Result<()> {
        let path = path.clone();
        self.run(move |root| root.set_modified(&path, modified))
            .await
    }

    async fn close(&self) {}
}
