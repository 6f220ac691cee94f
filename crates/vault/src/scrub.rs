//! Scrubbing: proving that a blob still opens, without giving its bytes to anybody.

use futures::StreamExt;

use crate::Vault;
use crate::format::{sealed_size, segment_count};
use crate::open::{OpenBlob, OpenError};

/// A blob that opens from the first byte to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubReport {
    /// Segments whose tags were verified.
    pub segments: u64,
    /// Content bytes.
    pub size_bytes: u64,
    /// Bytes read, header included.
    pub sealed_bytes: u64,
}

impl Vault {
    /// Opens every segment of a blob. [`OpenError::Corrupt`] and [`OpenError::Missing`] are the findings; other errors say
    /// nothing about the blob.
    pub async fn scrub_blob(&self, command: OpenBlob<'_>) -> Result<ScrubReport, OpenError> {
        let size_bytes = command.size_bytes;
        let mut content = self.open(command, 0..size_bytes);
        while let Some(opened) = content.next().await {
            opened?;
        }
        Ok(ScrubReport {
            segments: segment_count(size_bytes),
            size_bytes,
            sealed_bytes: sealed_size(size_bytes),
        })
    }
}
