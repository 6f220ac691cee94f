//! Where the bytes of a transfer come from.

use std::pin::Pin as Pinned;
use std::sync::Arc;

use bailee_connect::{EntryKind, ReadFrom, RemoteEntry, RemotePath};
use bailee_core::model::{End, Timestamp};
use bailee_core::{FileRef, OpenFile, RunEnd};
use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::attempt::Attempt;
use super::checkpoint::Pin;
use super::far::Far;
use super::fault::{Halt, Place, Side, Trouble, bad_path, from_core, from_far, source_changed};
use super::pace::Pace;

/// The same bytes, no faster than each of `paces`.
pub(super) fn paced(stream: SourceStream, paces: Vec<Arc<Pace>>) -> SourceStream {
    if paces.is_empty() {
        return stream;
    }
    let slow = stream.then(move |bytes| {
        let paces = paces.clone();
        async move {
            if let Ok(bytes) = &bytes {
                for pace in &paces {
                    pace.take(bytes.len() as u64).await;
                }
            }
            bytes
        }
    });
    slow.boxed()
}

/// Bytes in order. It ends at the end of the source, or with the first fault.
pub(super) type SourceStream = Pinned<Box<dyn Stream<Item = Result<Bytes, Halt>> + Send>>;

/// An opened source.
pub(super) enum Source {
    /// A version in Bailee.
    Bailee(Box<OpenFile>),
    /// A file at a remote.
    Remote(Box<RemoteSource>),
}

/// A file at a remote, as it was when opened.
pub(super) struct RemoteSource {
    far: Far,
    path: RemotePath,
    entry: RemoteEntry,
}

impl RemoteSource {
    fn from(&self, offset: u64) -> ReadFrom {
        ReadFrom {
            offset,
            version: self.entry.version.clone(),
        }
    }
}

impl Source {
    /// Opens the source; the version that was begun with, where there is one.
    pub(super) async fn open(attempt: &Attempt<'_>, end: RunEnd) -> Result<Self, Halt> {
        match end {
            RunEnd::Bailee(end) => {
                let file = pinned(attempt.checkpoint.source.as_ref(), end)?;
                let opened = attempt
                    .shared
                    .core
                    .files()
                    .open(&attempt.caller, file)
                    .await;
                Ok(Self::Bailee(Box::new(
                    opened.map_err(|error| from_core(&error, Side::Source))?,
                )))
            }
            RunEnd::Remote(target, path) => {
                let far = Far::open(attempt.shared, &target, Side::Source, attempt.stop).await?;
                let path: RemotePath = path.parse().map_err(|error| bad_path(&path, error))?;
                let entry = look(&far, &path).await?;
                Ok(Self::Remote(Box::new(RemoteSource { far, path, entry })))
            }
        }
    }

    /// What exactly is moved.
    pub(super) fn pin(&self) -> Pin {
        match self {
            Self::Bailee(open) => Pin::Bailee { file: open.file.id },
            Self::Remote(remote) => Pin::Remote {
                size_bytes: remote.entry.size_bytes,
                modified: remote.entry.modified,
                version: remote.entry.version.clone(),
            },
        }
    }

    /// Its name, for a destination that names only a folder.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Bailee(open) => open.file.path.name().as_str(),
            Self::Remote(remote) => remote.path.name().unwrap_or_default(),
        }
    }

    /// Its size, if known.
    pub(super) fn size_bytes(&self) -> Option<u64> {
        match self {
            Self::Bailee(open) => Some(open.file.size_bytes),
            Self::Remote(remote) => remote.entry.size_bytes,
        }
    }

    /// When it was last changed, if known.
    pub(super) fn modified(&self) -> Option<Timestamp> {
        match self {
            Self::Bailee(open) => Some(open.file.created_at),
            Self::Remote(remote) => remote.entry.modified,
        }
    }

    /// Its SHA-256 in lower-case hex, if known.
    pub(super) fn hash(&self) -> Option<&str> {
        match self {
            Self::Bailee(open) => Some(&open.file.hash),
            Self::Remote(_) => None,
        }
    }

    /// Whether reading can begin inside it.
    pub(super) fn can_read_at(&self) -> bool {
        match self {
            Self::Bailee(_) => true,
            Self::Remote(remote) => remote.far.capabilities().can_read_at,
        }
    }

    /// Its bytes from `offset` on.
    pub(super) async fn stream(&self, offset: u64) -> Result<SourceStream, Halt> {
        match self {
            Self::Bailee(open) => {
                let size = open.file.size_bytes;
                let stream = open.stream(offset.min(size)..size).await;
                let stream = stream.map_err(|error| from_core(&error, Side::Source))?;
                Ok(stream
                    .map(|chunk| chunk.map_err(|error| from_core(&error, Side::Source)))
                    .boxed())
            }
            Self::Remote(remote) => {
                let name = remote.far.name().to_owned();
                let stream = remote.far.read(&remote.path, remote.from(offset)).await?;
                let told = move |chunk: Result<Bytes, bailee_connect::Fault>| {
                    let place = Place {
                        remote: &name,
                        side: Side::Source,
                        is_opening: false,
                    };
                    chunk.map_err(|fault| from_far(&fault, place))
                };
                Ok(stream.map(told).boxed())
            }
        }
    }

    /// Fails if the source is not any more what was opened, or gave other than `read_bytes`.
    pub(super) async fn check_unchanged(&self, read_bytes: u64) -> Result<(), Halt> {
        if let Some(size) = self.size_bytes().filter(|size| *size != read_bytes) {
            return Err(source_changed(format!(
                "it had {size} bytes and gave {read_bytes}"
            )));
        }
        let Self::Remote(remote) = self else {
            return Ok(());
        };
        let now = look(&remote.far, &remote.path).await?;
        let mark = |entry: &RemoteEntry| (entry.size_bytes, entry.modified, entry.version.clone());
        if mark(&now) != mark(&remote.entry) {
            return Err(source_changed("its size or its time is another now"));
        }
        Ok(())
    }

    /// SHA-256 of a source whose hash is not known, read once more.
    pub(super) async fn digest(&self) -> Result<String, Halt> {
        match self {
            Self::Bailee(open) => Ok(open.file.hash.clone()),
            Self::Remote(remote) => remote.far.digest(&remote.path).await,
        }
    }

    /// Counts bytes that came from a remote.
    pub(super) fn count(&self, bytes: u64) {
        if let Self::Remote(remote) = self {
            remote.far.count(bytes);
        }
    }

    /// Hangs up.
    pub(super) async fn close(&self) {
        if let Self::Remote(remote) = self {
            remote.far.close().await;
        }
    }
}

/// The version that a transfer began with, or whatever `end` names now.
pub(super) fn pinned(pin: Option<&Pin>, end: End) -> Result<FileRef, Halt> {
    match (pin, end) {
        (Some(Pin::Bailee { file }), _) => Ok(FileRef::Id(*file)),
        (_, End::File { file }) => Ok(FileRef::Id(file)),
        (_, End::Path { path }) => Ok(FileRef::Path(path)),
        (_, End::Folder { path }) => Err(bad_path(&path.to_string(), "it is a folder")),
        (_, End::Remote { path, .. }) => Err(bad_path(&path, "it is at a remote")),
    }
}

pub(super) async fn look(far: &Far, path: &RemotePath) -> Result<RemoteEntry, Halt> {
    let entry = far.stat(path).await?.ok_or_else(|| {
        let message = format!("Remote `{}` has no file at `{path}`.", far.name());
        Trouble::new(
            "source_not_found",
            message,
            "Check the path; paths are case-sensitive on most systems.",
        )
    })?;
    if entry.kind == EntryKind::Folder {
        let message = format!("`{path}` at remote `{}` is a folder.", far.name());
        let hint = "Name one file in it, or end its path with `/` for all of them.";
        return Err(Trouble {
            names_folder: true,
            ..Trouble::new("source_not_found", message, hint)
        }
        .into());
    }
    Ok(entry)
}
