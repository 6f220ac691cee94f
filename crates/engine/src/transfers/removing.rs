//! Removing the source of a file that arrived: `delete_source`.
//!
//! That the file is in its place is stored first, so that whoever goes on after a crash only removes. What is removed is
//! the version that was sent and nothing else: by its id in Bailee; at a remote, if size and time, or the far side's mark
//! of the content, are still those that were sent. A source that is gone is removed.

use bailee_connect::{FaultKind, RemoteEntry, RemotePath};
use bailee_core::model::{End, ErrorKind, FileState, Same, Scope, TransferOutcome, TransferState};
use bailee_core::{FileRef, Precondition, Purge, RemoteTarget, RunEnd};

use super::attempt::Attempt;
use super::checkpoint::Pin;
use super::far::Far;
use super::fault::{Halt, Side, Trouble, bad_path, from_core};

/// What became of a source.
enum Left {
    /// It is not there any more.
    Removed,
    /// It stays, for this reason.
    Kept(&'static str),
}

impl Attempt<'_> {
    /// Removes the source if that is wanted and its copy is proven.
    pub(super) async fn remove_source(&mut self, source: RunEnd) -> Result<(), Halt> {
        if !self.transfer.delete_source || self.transfer.source_removed.is_some() {
            return Ok(());
        }
        let is_same = self.is_known_same && self.transfer.same == Some(Same::Hash);
        if self.transfer.is_skipped && !is_same {
            self.left(Left::Kept("Nothing was moved"));
            return Ok(());
        }
        if !self.transfer.has_arrived {
            self.transfer.has_arrived = true;
            self.enter(TransferState::Settling).await?;
        }
        self.stop.check()?;
        let left = match source {
            RunEnd::Bailee(end) => self.remove_here(&end).await?,
            RunEnd::Remote(target, path) => self.remove_far(&target, &path).await?,
        };
        self.left(left);
        Ok(())
    }

    fn left(&mut self, left: Left) {
        self.transfer.source_removed = Some(matches!(left, Left::Removed));
        if let Left::Kept(why) = left {
            self.transfer
                .note(format!("{why}, so the source was left in its place."));
        }
    }

    async fn remove_here(&self, end: &End) -> Result<Left, Halt> {
        let Some(Pin::Bailee { file }) = self.checkpoint.source else {
            return Ok(Left::Kept("It is not known which version was sent"));
        };
        let files = self.shared.core.files();
        let found = match files.stat(&self.caller, FileRef::Id(file)).await {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Left::Removed),
            Err(error) => return Err(from_core(&error, Side::Source)),
        };
        if found.state == FileState::Deleted {
            return Ok(Left::Removed);
        }
        if matches!(end, End::Path { path } if *path != found.path) {
            return Ok(Left::Kept("It was moved elsewhere after it was sent"));
        }
        let removed = files
            .delete(
                &self.caller,
                FileRef::Id(file),
                Purge::No,
                Precondition::Unasked,
            )
            .await;
        match removed {
            Ok(()) => Ok(Left::Removed),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Left::Removed),
            Err(error) => Err(from_core(&error, Side::Source)),
        }
    }

    async fn remove_far(&self, target: &RemoteTarget, path: &str) -> Result<Left, Halt> {
        if !self.caller.scopes().hold(Scope::FilesDelete) {
            let message = "Whoever asked for this transfer may not delete any more.";
            let hint = "Have the scope `files:delete` granted again, or remove the source by hand.";
            let trouble = Trouble::new("policy_denied", message, hint);
            return Err(Trouble {
                outcome: TransferOutcome::Rejected,
                ..trouble
            }
            .into());
        }
        let path: RemotePath = path.parse().map_err(|error| bad_path(path, error))?;
        let far = Far::open(self.shared, target, Side::Source, self.stop).await?;
        let left = self.remove_at(&far, &path).await;
        far.close().await;
        left
    }

    async fn remove_at(&self, far: &Far, path: &RemotePath) -> Result<Left, Halt> {
        if !far.capabilities().can_remove {
            return Ok(Left::Kept("The remote removes nothing"));
        }
        let Some(found) = far.stat(path).await? else {
            return Ok(Left::Removed);
        };
        if !self.is_what_was_sent(far, path, &found).await? {
            return Ok(Left::Kept("It is another one than was sent"));
        }
        self.stop.check()?;
        match far.remove(path).await {
            Ok(()) => Ok(Left::Removed),
            Err(fault) if fault.kind() == &FaultKind::NotFound => Ok(Left::Removed),
            Err(fault) => Err(far.halt(&fault)),
        }
    }

    /// By the marks that the remote gives; by its content where it gives none but the size.
    async fn is_what_was_sent(
        &self,
        far: &Far,
        path: &RemotePath,
        found: &RemoteEntry,
    ) -> Result<bool, Halt> {
        let Some(Pin::Remote {
            size_bytes,
            modified,
            version,
        }) = &self.checkpoint.source
        else {
            return Ok(false);
        };
        if (&found.size_bytes, &found.modified, &found.version) != (size_bytes, modified, version) {
            return Ok(false);
        }
        if modified.is_some() || version.is_some() {
            return Ok(true);
        }
        match &self.transfer.hash {
            Some(hash) => Ok(far.digest(path).await? == *hash),
            None => Ok(false),
        }
    }
}
