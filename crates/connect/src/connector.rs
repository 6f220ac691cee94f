//! The trait that every protocol implements, and its words.

use std::fmt;
use std::pin::Pin;

use async_trait::async_trait;
use bailee_model::Timestamp;
use bytes::Bytes;
use futures::Stream;

use crate::fault::Result;
use crate::path::RemotePath;

/// Bytes in the order of the file. It ends at the end of the file, or with the first fault.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// What a connector, or the server it found, can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Reads may begin inside a file.
    pub can_read_at: bool,
    /// Writes may go on at an offset.
    pub can_write_at: bool,
    /// [`Replace::Yes`] is one step: no moment without a file.
    pub replaces_atomically: bool,
    /// `finish` returns only after the far side has written to stable storage.
    pub syncs: bool,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// The file there is replaced.
    Yes,
    /// The rename fails with [`crate::FaultKind::Exists`].
    No,
}

/// How to begin a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Where to go on, in bytes: a value that [`RemoteWriter::confirmed_bytes`] or `flush` returned. Zero begins anew and
    /// empties what is there. Bytes behind the offset are cut off.
    pub offset: u64,
    /// How many bytes the file will have, if known.
    pub size_hint: Option<u64>,
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

    /// The bytes of the file `path` from `offset` on; nothing if the file ends before it.
    async fn read(&self, path: &RemotePath, offset: u64) -> Result<ByteStream>;

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

    /// Waits until everything taken so far is confirmed, and returns how far that is.
    async fn flush(&mut self) -> Result<u64>;

    /// Flushes, syncs where the far side can, checks the size where it tells, and closes. Returns the size in bytes.
    async fn finish(self: Box<Self>) -> Result<u64>;
}
