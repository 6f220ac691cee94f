//! What is stored, for the sweeper and the scrubber: three levels of folders, read one at a time.

use std::fs::{self, DirEntry, ReadDir};
use std::path::{Path, PathBuf};

use bailee_model::{BlobId, TenantId};

use super::{DiskError, TEMPORARY};

const WHAT: &str = "list a folder of blobs";

/// One file of the blob store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Whose folder it is in.
    pub tenant: TenantId,
    /// The blob it is or was to become.
    pub blob: BlobId,
    /// Under the temporary name: an upload that is under way, or one that was cut off.
    pub is_temporary: bool,
    /// Bytes in the file: sealed, so more than the content.
    pub sealed_bytes: u64,
}

/// The folders in `folder`; those that vanish meanwhile are none.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, DiskError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(DiskError::at(WHAT))? {
        let entry = entry.map_err(DiskError::at(WHAT))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// A depth-first walk that holds one open folder and the names of those still to be read.
pub(super) struct Walk {
    tenants: Vec<PathBuf>,
    shards: Vec<PathBuf>,
    open: Option<(TenantId, ReadDir)>,
    failed: Option<DiskError>,
}

impl Walk {
    pub(super) fn of_all(blobs: &Path) -> Self {
        let (tenants, failed) = match folders(blobs) {
            Ok(tenants) => (tenants, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Self {
            tenants,
            shards: Vec::new(),
            open: None,
            failed,
        }
    }

    pub(super) fn of_tenant(folder: PathBuf) -> Self {
        let tenants = if folder.is_dir() {
            vec![folder]
        } else {
            Vec::new()
        };
        Self {
            tenants,
            shards: Vec::new(),
            open: None,
            failed: None,
        }
    }

    /// Opens the next folder; false at the end.
    fn advance(&mut self) -> Result<bool, DiskError> {
        if let Some(shard) = self.shards.pop() {
            let tenant = shard.parent().and_then(tenant_of);
            if let Some(tenant) = tenant {
                self.open = Some((tenant, fs::read_dir(&shard).map_err(DiskError::at(WHAT))?));
            }
            return Ok(true);
        }
        let Some(tenant) = self.tenants.pop() else {
            return Ok(false);
        };
        if tenant_of(&tenant).is_some() {
            self.shards = folders(&tenant)?;
        }
        Ok(true)
    }
}

impl Iterator for Walk {
    type Item = Result<StoredBlob, DiskError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        loop {
            if let Some((tenant, entries)) = &mut self.open {
                match entries.next() {
                    Some(Ok(entry)) => {
                        if let Some(stored) = stored(*tenant, &entry) {
                            return Some(Ok(stored));
                        }
                    }
                    Some(Err(error)) => return Some(Err(DiskError::at(WHAT)(error))),
                    None => self.open = None,
                }
                continue;
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn tenant_of(folder: &Path) -> Option<TenantId> {
    folder.file_name()?.to_str()?.parse().ok()
}

/// None for names that are not ours, and for files that vanished between listing and looking.
fn stored(tenant: TenantId, entry: &DirEntry) -> Option<StoredBlob> {
    let name = entry.file_name();
    let name = name.to_str()?;
    let (blob, is_temporary) = match name.strip_suffix(TEMPORARY) {
        Some(blob) => (blob, true),
        None => (name, false),
    };
    Some(StoredBlob {
        tenant,
        blob: blob.parse().ok()?,
        is_temporary,
        sealed_bytes: entry.metadata().ok()?.len(),
    })
}
