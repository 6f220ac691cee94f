//! One try of a transfer: what it works with, and how it stores where it is.

use std::sync::Arc;

use bailee_core::Caller;
use bailee_core::model::{ErrorKind, FilePath, Lease, OnConflict, Scope, Transfer, TransferState};
use bailee_core::{FileRef, model};
use tokio::sync::watch;

use super::checkpoint::{Checkpoint, Confirmed};
use super::fault::{Halt, Side, Trouble, destination_exists, from_core};
use super::pace::{Bound, Pace};
use crate::stop::{Stop, StopReason};
use crate::{Shared, limit};

/// One try.
pub(super) struct Attempt<'a> {
    pub(super) shared: &'a Shared,
    pub(super) lease: &'a Lease,
    pub(super) stop: &'a Stop,
    /// On whose behalf, with the rights of now.
    pub(super) caller: Caller,
    pub(super) transfer: Transfer,
    pub(super) checkpoint: Checkpoint,
    /// How fast it may be, where that is bounded: by its own wish, and by the windows of the remotes.
    pub(super) paces: Vec<Arc<Pace>>,
    /// What the windows of the remotes at its ends say.
    pub(super) bounds: Vec<Bound>,
    /// The destination held the same content already, by its hash.
    pub(super) is_known_same: bool,
}

impl Attempt<'_> {
    /// Stores state, checkpoint and progress. Fails if this runner may write no more, or if somebody wants it to stop.
    pub(super) async fn save(&mut self) -> Result<(), Halt> {
        self.transfer.checkpoint = self.checkpoint.to_value();
        let saved = self
            .shared
            .core
            .runs()
            .save(self.lease, &mut self.transfer)
            .await;
        let Err(error) = saved else { return Ok(()) };
        let reason = self.look_again().await;
        if error.kind() == ErrorKind::StateConflict {
            self.stop.because(reason);
            return Err(reason.into());
        }
        Err(from_core(&error, Side::Destination))
    }

    /// Goes to `state` and stores it. A try that begins again falls back through `queued` on the way.
    pub(super) async fn enter(&mut self, state: TransferState) -> Result<(), Halt> {
        self.transfer.state = state;
        self.save().await
    }

    /// Stores progress while bytes move, until the other end of `progress` is dropped.
    pub(super) async fn keep_saving(
        &mut self,
        mut progress: watch::Receiver<Confirmed>,
    ) -> Result<(), Halt> {
        while progress.changed().await.is_ok() {
            let Confirmed { bytes, token } = progress.borrow_and_update().clone();
            self.checkpoint.confirmed_bytes = bytes;
            self.checkpoint.token = token;
            self.transfer.bytes_done = bytes;
            if let Err(halt) = self.save().await {
                self.stop.because(StopReason::Unsaved);
                return Err(halt);
            }
        }
        Ok(())
    }

    /// Takes over from the stored row what others wrote. Says why a write of ours was refused.
    pub(super) async fn look_again(&mut self) -> StopReason {
        let stored = self
            .shared
            .core
            .runs()
            .reload(self.lease.job.tenant, self.transfer.id)
            .await;
        let Ok(stored) = stored else {
            return StopReason::Lost;
        };
        self.transfer.revision = stored.revision;
        self.transfer.cancel_requested = stored.cancel_requested;
        let is_steered = stored.cancel_requested
            || stored.state == TransferState::Paused
            || stored.state.is_final();
        if is_steered {
            StopReason::Steered
        } else {
            StopReason::Lost
        }
    }

    /// Whether `halt` is the end of the transfer, so that nothing needs to be kept for another try.
    pub(super) async fn is_end(&mut self, halt: &Halt) -> bool {
        match halt {
            Halt::Stopped(StopReason::Deadline) => true,
            Halt::Stopped(StopReason::Steered) => {
                self.look_again().await;
                self.transfer.cancel_requested
            }
            Halt::Stopped(_) => false,
            Halt::Trouble(trouble) => !self.tries_again(trouble),
        }
    }

    /// Whether there is another try after `trouble`.
    pub(super) fn tries_again(&self, trouble: &Trouble) -> bool {
        trouble.is_transient && self.transfer.attempt < self.transfer.retry.max_attempts
    }

    /// Where in Bailee the file goes; `None` if it need not go anywhere.
    ///
    /// A look ahead: it saves moving bytes in vain. What is placed in the meantime is found when the file is placed.
    pub(super) async fn choose_place(
        &mut self,
        wanted: &FilePath,
    ) -> Result<Option<FilePath>, Halt> {
        if let Some(kept) = self
            .checkpoint
            .target
            .as_ref()
            .and_then(|kept| kept.parse().ok())
        {
            return Ok(Some(kept));
        }
        let place = match self.transfer.on_conflict {
            OnConflict::Replace => wanted.clone(),
            _ if !self.is_taken(wanted).await? => wanted.clone(),
            OnConflict::Fail => return Err(destination_exists(wanted)),
            OnConflict::Skip => return Ok(None),
            OnConflict::Rename => self.free_place(wanted).await?,
        };
        self.checkpoint.target = Some(place.to_string());
        Ok(Some(place))
    }

    async fn free_place(&self, wanted: &FilePath) -> Result<FilePath, Halt> {
        for number in 2..=limit::NAMES_TRIED_MAX {
            let name = wanted.name().numbered(number);
            let name = name.map_err(|error| from_core(&error.into(), Side::Destination))?;
            let place = wanted.folder().file(name);
            if !self.is_taken(&place).await? {
                return Ok(place);
            }
        }
        Err(destination_exists(wanted))
    }

    /// Whether there is a file at `path`, as far as the caller may know.
    pub(super) async fn is_taken(&self, path: &FilePath) -> Result<bool, Halt> {
        if !self.caller.scopes().hold(Scope::FilesRead) {
            return Ok(false);
        }
        match self
            .shared
            .core
            .files()
            .stat(&self.caller, FileRef::Path(path.clone()))
            .await
        {
            Ok(file) => Ok(file.state == model::FileState::Available),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::FolderNotFound | ErrorKind::PolicyDenied => {
                    Ok(false)
                }
                _ => Err(from_core(&error, Side::Destination)),
            },
        }
    }
}
