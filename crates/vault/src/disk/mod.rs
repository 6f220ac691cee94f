//! Sealed blobs as files: `<root>/blobs/<tenant>/<xx>/<blob>`, where `xx` are the last two characters of the blob's id
//! (the first ones are time, and would put a day's blobs into one folder). No user text is in any name.
//!
//! Folders have mode 0700 and files 0600. A file appears under its final name only when its bytes are durable. This is
//! the only place of the crate that names paths; every call blocks.

pub(crate) mod private_file;
mod walk;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, IoSlice, Write as _};
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use bailee_model::{BlobId, TenantId};
use rustix::fs::{Advice, CWD, RenameFlags};
use rustix::io::Errno;

use crate::limit::WRITE_BACK_BYTES;

pub use walk::StoredBlob;

const BLOBS: &str = "blobs";
const TEMPORARY: &str = ".tmp";

/// The disk refused.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The disk or its quota is full.
    #[error("no space left in the blob store: cannot {what}")]
    NoSpace {
        /// What was tried.
        what: &'static str,
        /// As the system says it.
        source: io::Error,
    },
    /// A sync failed: what the kernel has of earlier writes is unknown, and a second sync would lie. The process must
    /// end rather than go on.
    #[error("a sync of the blob store failed: {what}")]
    SyncFailed {
        /// What was synced.
        what: &'static str,
        /// As the system says it.
        source: io::Error,
    },
    /// Anything else.
    #[error("blob store: cannot {what}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// As the system says it.
        source: io::Error,
    },
    /// The process is ending and takes no more work.
    #[error("the blob store is stopping")]
    Stopped,
}

impl DiskError {
    fn at(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoSpace { what, source }
            }
            _ => Self::Failed { what, source },
        }
    }

    fn sync(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::SyncFailed { what, source }
    }
}

/// The disk backend.
pub struct Disk {
    blobs: PathBuf,
    /// Held for writing while folders are made and synced, so that nobody stores a blob in a folder that is not durable.
    folders: RwLock<()>,
}

impl Disk {
    /// The blob store under `root`, made if it does not exist.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, DiskError> {
        let blobs = root.as_ref().join(BLOBS);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&blobs)
            .map_err(DiskError::at("make the folder of blobs"))?;
        let disk = Self {
            blobs,
            folders: RwLock::new(()),
        };
        // A process that died between making a folder and syncing its parent has left it for us.
        sync_folder(root.as_ref())?;
        sync_folder(&disk.blobs)?;
        for tenant in walk::folders(&disk.blobs)? {
            sync_folder(&tenant)?;
        }
        Ok(disk)
    }

    /// Removes a blob. `false`: there was none. Not synced: a removal undone by a power cut is done again by the sweeper.
    pub fn remove(&self, tenant: TenantId, blob: BlobId) -> Result<bool, DiskError> {
        remove(&self.place(tenant, blob).file)
    }

    /// Removes what an interrupted upload left under a blob's temporary name. `false`: there was nothing.
    pub fn remove_temporary(&self, tenant: TenantId, blob: BlobId) -> Result<bool, DiskError> {
        remove(&self.place(tenant, blob).temporary)
    }

    /// Everything that is stored, in no particular order, read folder by folder. Foreign names are passed over.
    pub fn list(&self) -> impl Iterator<Item = Result<StoredBlob, DiskError>> + Send + use<> {
        walk::Walk::of_all(&self.blobs)
    }

    /// What is stored for one tenant.
    pub fn list_tenant(
        &self,
        tenant: TenantId,
    ) -> impl Iterator<Item = Result<StoredBlob, DiskError>> + Send + use<> {
        walk::Walk::of_tenant(self.blobs.join(tenant.to_string()))
    }

    /// Bytes an unprivileged process may still write.
    pub fn free_bytes(&self) -> Result<u64, DiskError> {
        let numbers = rustix::fs::statvfs(&self.blobs)
            .map_err(|errno| DiskError::at("ask for free space")(errno.into()))?;
        Ok(numbers.f_bavail.saturating_mul(numbers.f_frsize))
    }

    /// A new file under the blob's temporary name.
    pub(crate) fn create(&self, tenant: TenantId, blob: BlobId) -> Result<NewFile, DiskError> {
        let place = self.place(tenant, blob);
        let opened = {
            let _folders_stay = self.folders.read().unwrap_or_else(PoisonError::into_inner);
            create_file(&place.temporary)
        };
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folders(&place)?;
                create_file(&place.temporary)
            }
            other => other,
        };
        let file = file.map_err(DiskError::at("make a blob's file"))?;
        Ok(NewFile {
            file,
            place: Some(place),
            size_bytes: 0,
            written_back_bytes: 0,
        })
    }

    /// The stored blob, or None if there is no such file.
    pub(crate) fn read(
        &self,
        tenant: TenantId,
        blob: BlobId,
    ) -> Result<Option<StoredFile>, DiskError> {
        let what = "open a blob's file";
        let file = match File::open(self.place(tenant, blob).file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(DiskError::at(what))?,
        };
        let size_bytes = file.metadata().map_err(DiskError::at(what))?.len();
        Ok(Some(StoredFile { file, size_bytes }))
    }

    fn place(&self, tenant: TenantId, blob: BlobId) -> Place {
        let name = blob.to_string();
        let shard = name
            .split_at_checked(name.len().saturating_sub(2))
            .unwrap_or_default()
            .1;
        let tenant_folder = self.blobs.join(tenant.to_string());
        let folder = tenant_folder.join(shard);
        Place {
            file: folder.join(&name),
            temporary: folder.join(name + TEMPORARY),
            folder,
            tenant_folder,
        }
    }

    fn make_folders(&self, place: &Place) -> Result<(), DiskError> {
        let _nobody_stores = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        make_folder(&place.tenant_folder)?;
        sync_folder(&self.blobs)?;
        make_folder(&place.folder)?;
        sync_folder(&place.tenant_folder)
    }
}

struct Place {
    tenant_folder: PathBuf,
    folder: PathBuf,
    file: PathBuf,
    temporary: PathBuf,
}

/// A blob on its way in, under its temporary name; dropped before it is published, it is removed.
pub(crate) struct NewFile {
    file: File,
    /// None once published.
    place: Option<Place>,
    size_bytes: u64,
    written_back_bytes: u64,
}

impl NewFile {
    /// Appends bytes that lie in several places.
    pub(crate) fn append(&mut self, mut slices: &mut [IoSlice<'_>]) -> Result<(), DiskError> {
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            let written = match self.file.write_vectored(slices) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                other => other,
            };
            let written = written.map_err(DiskError::at("write a blob"))?;
            self.size_bytes += written as u64;
            IoSlice::advance_slices(&mut slices, written);
        }
        if self.size_bytes - self.written_back_bytes >= WRITE_BACK_BYTES {
            self.write_back();
        }
        Ok(())
    }

    /// Has the kernel begin to write what came since the last time. `DONTNEED` starts the writing of dirty pages; it drops
    /// clean ones only, and these are not clean yet. Advice may be ignored, so its failure is none.
    fn write_back(&mut self) {
        let length = NonZeroU64::new(self.size_bytes - self.written_back_bytes);
        rustix::fs::fadvise(
            &self.file,
            self.written_back_bytes,
            length,
            Advice::DontNeed,
        )
        .ok();
        self.written_back_bytes = self.size_bytes;
    }

    /// Makes the bytes durable under the final name.
    pub(crate) fn publish(mut self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(DiskError::sync("a blob"))?;
        if let Some(place) = &self.place {
            rename_new(&place.temporary, &place.file).map_err(DiskError::at("name a blob"))?;
            let folder = place.folder.clone();
            self.place = None;
            sync_folder(&folder)?;
        }
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            // What cannot be removed now, the sweeper finds by its temporary name.
            drop(fs::remove_file(&place.temporary));
        }
    }
}

/// A stored blob, open for reading.
pub(crate) struct StoredFile {
    file: File,
    size_bytes: u64,
}

impl StoredFile {
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Fills `bytes` from `offset` on; an early end is an error of kind `UnexpectedEof`.
    pub(crate) fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }
}

fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Renames without replacing: a blob that exists is never written over. File systems that cannot promise that get the
/// plain rename; ids are made once, so it is a second line of defence only.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(from, to),
        other => Ok(other?),
    }
}

fn make_folder(path: &Path) -> Result<(), DiskError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(DiskError::at("make a folder of blobs")),
    }
}

fn sync_folder(path: &Path) -> Result<(), DiskError> {
    let folder = File::open(path).map_err(DiskError::at("open a folder of blobs"))?;
    folder
        .sync_all()
        .map_err(DiskError::sync("a folder of blobs"))
}

fn remove(path: &Path) -> Result<bool, DiskError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(DiskError::at("remove a blob")(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_failed_sync_are_told_from_other_failures() {
        for errno in [Errno::NOSPC, Errno::DQUOT] {
            let error = DiskError::at("write")(errno.into());
            assert!(matches!(error, DiskError::NoSpace { .. }), "{error}");
        }
        assert!(matches!(
            DiskError::at("write")(Errno::IO.into()),
            DiskError::Failed { .. }
        ));
        for errno in [Errno::IO, Errno::NOSPC] {
            assert!(matches!(
                DiskError::sync("a blob")(errno.into()),
                DiskError::SyncFailed { .. }
            ));
        }
    }
}
