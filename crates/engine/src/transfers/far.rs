//! A far system in the hands of one transfer: its calls end when the transfer is to stop, and its faults come in the
//! transfer's words.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest;
use bailee_connect::{
    ByteStream, Capabilities, Connector, EntryKind, Fault, FaultKind, Listing, ReadFrom,
    RemoteEntry, RemotePath, RemoteWriter, Replace, WriteOptions, open,
};
use bailee_core::RemoteTarget;
use bailee_core::model::{CopyProof, RemoteKind, Timestamp};
use futures::StreamExt;

use super::fault::{Halt, Place, Side, bad_path, from_far};
use crate::pool::{Key, Pool};
use crate::stop::Stop;
use crate::{Shared, limit, remote};

/// A far system, signed in.
pub(super) struct Far {
    name: String,
    side: Side,
    kind: RemoteKind,
    connector: Arc<dyn Connector>,
    stop: Stop,
    /// Whose pool it goes back to, and as what.
    home: Option<(Arc<Pool>, Key)>,
    /// Whether its connection is in doubt.
    is_marred: AtomicBool,
}

impl Far {
    /// Connects and signs in.
    pub(super) async fn open(
        shared: &Shared,
        target: &RemoteTarget,
        side: Side,
        stop: &Stop,
    ) -> Result<Self, Halt> {
        let name = target.remote.name.to_string();
        let home = Key::of(&target.remote).map(|key| (Arc::clone(&shared.pool), key));
        let kept = home.as_ref().and_then(|(pool, key)| pool.take(*key));
        let own = |connector| Self {
            name: name.clone(),
            side,
            kind: target.remote.kind(),
            connector,
            stop: stop.clone(),
            home,
            is_marred: AtomicBool::new(false),
        };
        if let Some(connector) = kept
            && stop.or(is_alive(connector.as_ref())).await?
        {
            return Ok(own(connector));
        }
        let spec = remote::spec(target, shared)
            .map_err(|error| bad_path("the remote's base folder", error))?;
        let connector = stop.or(open(spec, &shared.guard)).await?.map_err(|fault| {
            let place = Place {
                remote: &name,
                side,
                is_opening: true,
            };
            from_far(&fault, place)
        })?;
        Ok(own(Arc::from(connector)))
    }

    /// The fault in the transfer's words.
    pub(super) fn halt(&self, fault: &Fault) -> Halt {
        if puts_in_doubt(fault.kind()) {
            self.is_marred.store(true, Ordering::Relaxed);
        }
        from_far(
            fault,
            Place {
                remote: &self.name,
                side: self.side,
                is_opening: false,
            },
        )
    }

    /// The remote's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it can do.
    pub(super) fn capabilities(&self) -> Capabilities {
        self.connector.capabilities()
    }

    /// Whether files are written to their final name: where nothing of them is seen before they are whole, and where
    /// nothing else can be done.
    pub(super) fn is_written_in_place(&self) -> bool {
        let can = self.capabilities();
        can.appears_whole || !can.can_rename
    }

    /// What stands at `path`.
    pub(super) async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>, Halt> {
        self.stop
            .or(self.connector.stat(path))
            .await?
            .map_err(|fault| self.halt(&fault))
    }

    /// The size of the file at `path`, `unknown` if the far side does not tell; `None` if there is no file.
    pub(super) async fn size(&self, path: &RemotePath, unknown: u64) -> Result<Option<u64>, Halt> {
        let entry = self
            .stat(path)
            .await?
            .filter(|entry| entry.kind == EntryKind::File);
        Ok(entry.map(|entry| entry.size_bytes.unwrap_or(unknown)))
    }

    /// The bytes of `path`.
    pub(super) async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream, Halt> {
        self.stop
            .or(self.connector.read(path, from))
            .await?
            .map_err(|fault| self.halt(&fault))
    }

    /// Opens `path` for writing.
    pub(super) async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>, Halt> {
        self.stop
            .or(self.connector.write(path, options))
            .await?
            .map_err(|fault| self.halt(&fault))
    }

    /// The contents of the folder at `path` behind the name `after`, by name: one page of them.
    pub(super) async fn list_after(&self, path: &RemotePath, after: &str) -> Result<Listing, Halt> {
        let listing = self.connector.list_after(path, after, usize::MAX);
        self.stop
            .or(listing)
            .await?
            .map_err(|fault| self.halt(&fault))
    }

    /// Makes the folder `folder` and those above it, where folders are things of their own. Others may make them at the
    /// same time.
    pub(super) async fn make_folders(&self, folder: &RemotePath) -> Result<(), Halt> {
        let mut missing = Vec::new();
        let mut above = self.capabilities().has_folders.then(|| folder.clone());
        while let Some(path) = above.take().filter(|path| !path.is_start()) {
            if self.stat(&path).await?.is_none() {
                above = path.parent();
                missing.push(path);
            }
        }
        for path in missing.iter().rev() {
            match self.stop.or(self.connector.mkdir(path)).await? {
                Ok(()) => {}
                Err(fault) if fault.kind() == &FaultKind::Exists => {}
                Err(fault) => return Err(self.halt(&fault)),
            }
        }
        Ok(())
    }

    /// Renames. Not ended by a request to stop: whether it happened would stay open.
    pub(super) async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
        replace: Replace,
    ) -> Result<(), Fault> {
        self.connector.rename(from, to, replace).await
    }

    /// Makes what was written to a file. Not ended by a request to stop: whether it happened would stay open.
    pub(super) async fn finish(&self, writer: Box<dyn RemoteWriter>) -> Result<u64, Fault> {
        writer.finish().await
    }

    /// SHA-256 in lower-case hex of the file at `path`: by the far side's word, or of what can be read there.
    pub(super) async fn digest(&self, path: &RemotePath) -> Result<String, Halt> {
        Ok(self.proven_digest(path).await?.0)
    }

    /// The same, and which of both it is.
    pub(super) async fn proven_digest(
        &self,
        path: &RemotePath,
    ) -> Result<(String, CopyProof), Halt> {
        let told = self.stop.or(self.connector.sha256(path)).await?;
        if let Some(digest) = told.map_err(|fault| self.halt(&fault))? {
            return Ok((hex::encode(digest), CopyProof::RemoteDigest));
        }
        let mut stream = self.read(path, ReadFrom::default()).await?;
        let mut hasher = digest::Context::new(&digest::SHA256);
        while let Some(chunk) = self.stop.or(stream.next()).await? {
            hasher.update(&chunk.map_err(|fault| self.halt(&fault))?);
        }
        Ok((hex::encode(hasher.finish()), CopyProof::ReadBack))
    }

    /// Removes the file at `path`. Not ended by a request to stop: whether it happened would stay open.
    pub(super) async fn remove(&self, path: &RemotePath) -> Result<(), Fault> {
        self.connector.remove(path).await
    }

    /// Says when the file at `path` was changed.
    pub(super) async fn set_modified(
        &self,
        path: &RemotePath,
        modified: Timestamp,
    ) -> Result<Result<(), Fault>, Halt> {
        Ok(self
            .stop
            .or(self.connector.set_modified(path, modified))
            .await?)
    }

    /// Removes what nobody needs any more, as well as it goes in a short time.
    pub(super) async fn clear_up(&self, path: &RemotePath) {
        let removal =
            tokio::time::timeout(limit::CLEAR_UP_TIME_MAX, self.connector.remove(path)).await;
        if !matches!(removal, Ok(Ok(()))) {
            tracing::info!(remote = self.name, path = %path, "a temporary file could not be removed");
        }
    }

    /// Gives up an unfinished write, as well as it goes in a short time.
    pub(super) async fn abandon(&self, path: &RemotePath, token: &str) {
        let given_up = self.connector.abandon(path, token);
        let given_up = tokio::time::timeout(limit::CLEAR_UP_TIME_MAX, given_up).await;
        if !matches!(given_up, Ok(Ok(()))) {
            tracing::info!(remote = self.name, path = %path, "an unfinished upload could not be given up");
        }
    }

    /// Leaves it to the next file, or hangs up where its connection is in doubt.
    pub(super) async fn close(&self) {
        let is_sound = !self.is_marred.load(Ordering::Relaxed) && self.stop.reason().is_none();
        match &self.home {
            Some((pool, key)) if is_sound => pool.put(*key, Arc::clone(&self.connector)),
            _ => self.connector.close().await,
        }
    }

    /// Counts bytes that were moved, received or sent.
    pub(super) fn count(&self, bytes: u64) {
        let direction = match self.side {
            Side::Source => "in",
            Side::Destination => "out",
        };
        let labels = [("direction", direction), ("protocol", self.kind.as_str())];
        metrics::counter!("bailee_transfer_bytes_total", &labels).increment(bytes);
    }
}

/// Whether the far side has not hung up meanwhile: one question, where signing in takes many.
async fn is_alive(connector: &dyn Connector) -> bool {
    let start = RemotePath::default();
    let asked = tokio::time::timeout(limit::ALIVE_TIME_MAX, connector.stat(&start)).await;
    matches!(asked, Ok(Ok(_)))
}

/// Whether what follows on the same connection may fail for the same reason.
fn puts_in_doubt(kind: &FaultKind) -> bool {
    !matches!(
        kind,
        FaultKind::NotFound
            | FaultKind::PermissionDenied
            | FaultKind::OutOfSpace
            | FaultKind::Exists
            | FaultKind::Changed
            | FaultKind::OffsetBeyondEnd
            | FaultKind::Unsupported
    )
}
