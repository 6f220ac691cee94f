//! Writing a local file: synced before it is called finished.

use std::fs::File;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWriteExt;

use super::blocking;
use super::error::io_fault;
use crate::connector::RemoteWriter;
use crate::fault::Result;
use crate::limit;
use crate::path::RemotePath;

/// A local file being written.
pub(super) struct Writer {
    file: tokio::fs::File,
    folder: File,
    path: RemotePath,
    is_placed: bool,
    written_bytes: u64,
    confirmed_bytes: u64,
}

impl Writer {
    pub(super) fn new((file, folder): (File, File), path: RemotePath, offset: u64) -> Self {
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(limit::LOCAL_CHUNK_BYTES);
        Self {
            file,
            folder,
            path,
            is_placed: false,
            written_bytes: offset,
            confirmed_bytes: offset,
        }
    }

    /// Writes go on where the file was cut.
    async fn place(&mut self) -> Result<()> {
        if !self.is_placed {
            let at = std::io::SeekFrom::Start(self.written_bytes);
            tokio::io::AsyncSeekExt::seek(&mut self.file, at)
                .await
                .map_err(|error| io_fault(&error, &self.path))?;
            self.is_placed = true;
        }
        Ok(())
    }
}

#[async_trait]
impl RemoteWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.place().await?;
        self.file
            .write_all(&bytes)
            .await
            .map_err(|error| io_fault(&error, &self.path))?;
        self.written_bytes += bytes.len() as u64;
        Ok(())
    }

    fn confirmed_bytes(&self) -> u64 {
        self.confirmed_bytes
    }

    async fn flush(&mut self) -> Result<u64> {
        self.file
            .flush()
            .await
            .map_err(|error| io_fault(&error, &self.path))?;
        self.file
            .sync_data()
            .await
            .map_err(|error| io_fault(&error, &self.path))?;
        self.confirmed_bytes = self.written_bytes;
        Ok(self.confirmed_bytes)
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        self.file
            .flush()
            .await
            .map_err(|error| io_fault(&error, &self.path))?;
        self.file
            .sync_all()
            .await
            .map_err(|error| io_fault(&error, &self.path))?;
        let Self {
            folder,
            path,
            written_bytes,
            ..
        } = *self;
        blocking(move || folder.sync_all().map_err(|error| io_fault(&error, &path))).await?;
        Ok(written_bytes)
    }
}
