//! Reading a local file as a stream.

use std::fs::File;
use std::io::SeekFrom;

use bytes::BytesMut;
use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::error::io_fault;
use crate::connector::ByteStream;
use crate::fault::Result;
use crate::limit;
use crate::path::RemotePath;

/// The bytes of `file` from `offset` on, a chunk at a time.
pub(super) async fn stream(file: File, path: RemotePath, offset: u64) -> Result<ByteStream> {
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(limit::LOCAL_CHUNK_BYTES);
    file.seek(SeekFrom::Start(offset))
        .await
        .map_err(|error| io_fault(&error, &path))?;
    let chunks = stream::try_unfold((file, path), |(mut file, path)| async move {
        let mut chunk = BytesMut::with_capacity(limit::LOCAL_CHUNK_BYTES);
        let read = file
            .read_buf(&mut chunk)
            .await
            .map_err(|error| io_fault(&error, &path))?;
        Ok((read > 0).then(|| (chunk.freeze(), (file, path))))
    });
    Ok(chunks.boxed())
}
