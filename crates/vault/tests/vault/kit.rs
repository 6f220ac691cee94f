//! A vault in a temporary folder, repeatable chance, and streams.

use std::convert::Infallible;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bailee_model::{BlobId, Chance, TenantId};
use bailee_vault::{
    DataKey, Digest, Disk, OpenBlob, OpenError, Placement, SealBlob, SealedBlob, Vault, VaultLimits,
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tempfile::TempDir;

/// Chance from a counter: each draw differs, each run is the same.
#[derive(Default)]
pub struct Seeded(pub AtomicU64);

impl Chance for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let drawn = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (drawn ^ (drawn >> 29))
                .wrapping_mul(0xbf58_476d_1ce4_e5b9)
                .to_be_bytes()[0];
        }
    }
}

pub struct Kit {
    pub folder: TempDir,
    pub vault: Vault,
    pub chance: Seeded,
    pub tenant: TenantId,
    pub blob: BlobId,
    pub data_key: DataKey,
}

impl Kit {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let chance = Seeded::default();
        Self {
            vault: Vault::new(Disk::open(folder.path()).unwrap(), VaultLimits::default()),
            tenant: TenantId::from_bits(7),
            blob: BlobId::from_bits(11),
            data_key: DataKey::generate(&chance),
            folder,
            chance,
        }
    }

    pub fn command(&self, inline_bytes_max: usize) -> SealBlob<'_> {
        SealBlob {
            tenant: self.tenant,
            blob: self.blob,
            data_key: &self.data_key,
            inline_bytes_max,
            digest: Digest::Sha256,
        }
    }

    pub async fn seal(&self, content: &[u8], inline_bytes_max: usize) -> SealedBlob {
        self.seal_chunks(chunks(content, 100_000), inline_bytes_max)
            .await
    }

    pub async fn seal_chunks(
        &self,
        chunks: impl Stream<Item = Result<Bytes, Infallible>> + Send,
        inline_bytes_max: usize,
    ) -> SealedBlob {
        let command = self.command(inline_bytes_max);
        self.vault
            .seal(command, chunks, &self.chance)
            .await
            .unwrap()
    }

    pub fn opening(&self, size_bytes: u64, placement: Placement) -> OpenBlob<'_> {
        OpenBlob {
            tenant: self.tenant,
            blob: self.blob,
            data_key: &self.data_key,
            size_bytes,
            placement,
        }
    }

    pub async fn read(&self, sealed: &SealedBlob, range: Range<u64>) -> Result<Vec<u8>, OpenError> {
        let command = self.opening(sealed.size_bytes, sealed.placement.clone());
        collect(&self.vault, command, range).await
    }

    /// The file of the kit's blob.
    pub fn file(&self) -> PathBuf {
        let files = files(self.folder.path());
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().unwrap()
    }
}

pub async fn collect(
    vault: &Vault,
    command: OpenBlob<'_>,
    range: Range<u64>,
) -> Result<Vec<u8>, OpenError> {
    let mut content = Vec::new();
    let mut opened = vault.open(command, range);
    while let Some(bytes) = opened.next().await {
        let bytes = bytes?;
        assert!(!bytes.is_empty());
        content.extend_from_slice(&bytes);
    }
    Ok(content)
}

pub fn chunks(
    content: &[u8],
    chunk_bytes: usize,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    let chunks: Vec<_> = content
        .chunks(chunk_bytes)
        .map(Bytes::copy_from_slice)
        .map(Ok)
        .collect();
    stream::iter(chunks)
}

/// Content in which every position can be told.
pub fn pattern(size_bytes: usize) -> Vec<u8> {
    (0..size_bytes)
        .map(|at| ((at * 31) % 251) as u8 ^ (at >> 16) as u8)
        .collect()
}

/// Every file under a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
