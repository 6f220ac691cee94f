//! The trait that every protocol implements, and its words.

use std::fmt;
use std::pin::Pin;

use async_trait::async_trait;
use bailee_model::{RemoteKind, Timestamp};
use bytes::Bytes;
use futures::Stream;

use crate::fault::{Fault, Result};
use crate::page::Page;
use crate::path::RemotePath;

/// Bytes in the order of the file. It ends at the end of the file, or with the first fault.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// What a connector, or the server it found, can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a statement of its own"
)]
pub struct Capabilities {
    /// Reads may begin inside a file.
    pub can_read_at: bool,
    /// Writes may go on where an earlier one was confirmed.
    pub can_write_at: bool,
    /// [`Replace::Yes`] is one step: no moment without a file.
    pub replaces_atomically: bool,
    /// `finish` returns only after the far side has written to stable storage.
    pub syncs: bool,
    /// Nothing of a write can be seen at its path before `finish`, and what stood there stays until then: files may be
    /// written to their final name. Otherwise they belong under a temporary one, to be renamed.
    pub appears_whole: bool,
    /// Folders are things of their own: they can be empty, and a file needs one that exists. Without, a folder is what
    /// the names of files have in common.
    pub has_folders: bool,
    /// Folders can be listed.
    pub can_list: bool,
    /// Files can be written. Some far systems only give.
    pub can_write: bool,
    /// Files can be renamed, by the far side's own means or by a copy there.
    pub can_rename: bool,
    /// Files can be removed.
    pub can_remove: bool,
    /// Files can be copied without their bytes coming here.
    pub can_copy: bool,
    /// A file can be given the time of its source.
    pub can_set_time: bool,
}

impl Capabilities {
    /// Everything that a file system with folders can do.
    pub const FOLDERS: Self = Self {
        can_read_at: true,
        can_write_at: true,
        replaces_atomically: true,
        syncs: true,
        appears_whole: false,
        has_folders: true,
        can_list: true,
        can_write: true,
        can_rename: true,
        can_remove: true,
        can_copy: false,
        can_set_time: false,
    };
    /// What connectors of a kind can do where the server and the configuration let them.
    pub const fn most(kind: RemoteKind) -> Self {
        match kind {
            RemoteKind::Sftp | RemoteKind::Local => Self {
                can_set_time: true,
                ..Self::FOLDERS
            },
            RemoteKind::Ftps => Self {
                can_set_time: true,
                // Most do, but nothing in the protocol tells.
                replaces_atomically: false,
                syncs: false,
                ..Self::FOLDERS
            },
            RemoteKind::Https => Self {
                can_read_at: true,
                can_write_at: false,
                replaces_atomically: false,
                syncs: false,
                appears_whole: false,
                has_folders: false,
                can_list: false,
                can_write: true,
                can_rename: false,
                can_remove: true,
                can_copy: false,
                can_set_time: false,
            },
            RemoteKind::Webdav => Self {
                can_write_at: false,
                // A server may remove what stands there before it moves.
                replaces_atomically: false,
                syncs: false,
                can_copy: true,
                ..Self::FOLDERS
            },
            RemoteKind::S3 | RemoteKind::AzureBlob | RemoteKind::Gcs => Self::OBJECTS,
            RemoteKind::Bailee => Self {
                appears_whole: true,
                can_copy: true,
                ..Self::FOLDERS
            },
        }
    }

    /// What an object store can do.
    pub const OBJECTS: Self = Self {
        appears_whole: true,
        has_folders: false,
        can_copy: true,
        ..Self::FOLDERS
    };
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, in a listing.
    Link,
    /// A device, socket, or something the far system did not name.
    Other,
}

/// One file or folder on a far system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteEntry {
    /// The last segment of its path; empty for the starting folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its size in bytes, where the far system tells.
    pub size_bytes: Option<u64>,
    /// When it was last changed, by the far system's clock.
    pub modified: Option<Timestamp>,
    /// The far system's own mark of this content, such as an entity tag: other content has another mark.
    pub version: Option<String>,
}

/// The contents of a folder, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// What was found, sorted by name, at most as many as asked for.
    pub entries: Vec<RemoteEntry>,
    /// The folder holds more than that.
    pub is_cut: bool,
    /// Entries left out because their names are no [`RemotePath`] segment.
    pub unnameable_count: usize,
}

/// What a rename does when the new name is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replace {
    /// The file there is replaced.
    #[default]
    Yes,
    /// The rename fails with [`crate::FaultKind::Exists`].
    No,
}

/// Where to begin reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadFrom {
    /// The first byte, counted from zero.
    pub offset: u64,
    /// The content that is meant, by [`RemoteEntry::version`]. Where the far side can tell that it has another one now,
    /// reading fails with [`crate::FaultKind::Changed`].
    pub version: Option<String>,
}

impl ReadFrom {
    /// From byte `offset` of whatever content is there.
    pub fn offset(offset: u64) -> Self {
        Self {
            offset,
            version: None,
        }
    }
}

/// How to begin a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Where to go on, in bytes: a value that [`RemoteWriter::confirmed_bytes`] or `flush` returned. Zero begins anew and
    /// empties what is there. Bytes behind the offset are cut off.
    pub offset: u64,
    /// What [`RemoteWriter::token`] said when the offset was confirmed.
    pub token: Option<String>,
    /// How many bytes the file will have, if known.
    pub size_hint: Option<u64>,
    /// What `finish` does when a file stands at the path. Counts only where files appear whole.
    pub replace: Replace,
}

/// One far system, signed in. Calls may run at the same time. Dropping it hangs up.
#[async_trait]
pub trait Connector: Send + Sync + fmt::Debug {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// What stands at `path`; `None` if nothing does.
    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>>;

    /// Up to `limit` entries of the folder `path`, without `.` and `..`.
    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing>;

    /// Up to `limit` entries of the folder `path` whose names come behind `after`, the first of them by name, so that a
    /// folder of any size can be walked page by page, and gone on with after a crash. Cut if there are more. Where a far
    /// system lists only so much, a larger folder is [`crate::FaultKind::Unsupported`].
    async fn list_after(&self, path: &RemotePath, after: &str, limit: usize) -> Result<Listing> {
        let listing = self.list(path, usize::MAX).await?;
        if listing.is_cut {
            let held = listing.entries.len();
            let message =
                format!("the folder `{path}` holds more entries than can be listed of it ({held})");
            return Err(Fault::new(crate::FaultKind::Unsupported, message));
        }
        let mut page = Page::behind(after, limit);
        for entry in listing.entries {
            page.take(entry)?;
        }
        let mut page = page.done();
        page.unnameable_count = listing.unnameable_count;
        Ok(page)
    }

    /// The bytes of the file `path` from an offset on; nothing if the file ends before it.
    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream>;

    /// Opens `path` for writing, making it if need be when the offset is zero.
    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>>;

    /// Gives `from` the name `to`, on the same far system.
    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()>;

    /// Removes the file `path`.
    async fn remove(&self, path: &RemotePath) -> Result<()>;

    /// Makes the folder `path`, in a folder that exists. Fails with [`crate::FaultKind::Exists`] if the name is taken.
    async fn mkdir(&self, path: &RemotePath) -> Result<()>;

    /// Copies the file `from` to `to` at the far side. [`crate::FaultKind::Unsupported`] where
    /// [`Capabilities::can_copy`] is not set.
    async fn copy(&self, _from: &RemotePath, _to: &RemotePath, _replace: Replace) -> Result<()> {
        Err(Fault::unsupported("copying"))
    }

    /// Says when the file `path` was changed, as exactly as the far side can keep it. [`crate::FaultKind::Unsupported`]
    /// where [`Capabilities::can_set_time`] is not set.
    async fn set_modified(&self, _path: &RemotePath, _modified: Timestamp) -> Result<()> {
        Err(Fault::unsupported("setting the time of a file"))
    }

    /// SHA-256 of the file `path` by the far side's own word; `None` where it does not tell.
    async fn sha256(&self, _path: &RemotePath) -> Result<Option<[u8; 32]>> {
        Ok(None)
    }

    /// Gives up what an unfinished write to `path` left behind under `token`. What cannot be found is given up already.
    async fn abandon(&self, _path: &RemotePath, _token: &str) -> Result<()> {
        Ok(())
    }

    /// Hangs up. Later calls fail.
    async fn close(&self);
}

/// A file being written. Dropped without `finish`, it leaves what was confirmed, and perhaps more behind it.
#[async_trait]
pub trait RemoteWriter: Send {
    /// Takes bytes that follow those before; waits when too many are under way.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// How far the file goes without a gap by the far side's own word, from byte zero: usable as a checkpoint.
    fn confirmed_bytes(&self) -> u64;

    /// What must be given back with the confirmed bytes to go on after this writer is gone: the id of an upload, say.
    /// Text of the connector's own, at most [`crate::TOKEN_BYTES_MAX`] long, without secrets. `None` where the offset is
    /// enough. It may change whenever bytes are confirmed.
    fn token(&self) -> Option<String> {
        None
    }

    /// Brings to the far side what it can take now, and returns how far the file is confirmed. A connector that writes
    /// in parts may keep an incomplete part here; others confirm everything taken so far.
    async fn flush(&mut self) -> Result<u64>;

    /// Sends the rest, syncs where the far side can, checks the size where it tells, and closes: where files appear
    /// whole, it is there now. Returns the size in bytes.
    ///
    /// A writer that was opened at the end of everything finishes what an earlier one may have finished already, and
    /// then fails with [`crate::FaultKind::NotFound`] if the far side knows of no such write any more.
    async fn finish(self: Box<Self>) -> Result<u64>;
}
