//! Where files appear whole: the write's end is the moment at which the file is there.
//!
//! As with a rename, that it may have happened is stored before it happens. Whoever comes next ends the same write once
//! more; if the far side knows of none, the file that stands there is ours, by size and hash, or all begins again.

use bailee_connect::{Fault, FaultKind, RemotePath, RemoteWriter, WriteOptions};
use bailee_core::model::{OnConflict, TransferState};

use super::attempt::Attempt;
use super::checkpoint::Phase;
use super::far::Far;
use super::fault::{Halt, Trouble, destination_exists, source_changed};
use super::moving::Moved;
use super::source::Source;

impl Attempt<'_> {
    /// Ends the write of `moved` to `target`. False if a file was there that was to be left alone.
    pub(super) async fn publish_at(
        &mut self,
        far: &Far,
        writer: Box<dyn RemoteWriter>,
        target: RemotePath,
        moved: &Moved,
    ) -> Result<bool, Halt> {
        self.checkpoint.phase = Phase::Settling;
        self.checkpoint.target = Some(target.to_string());
        self.checkpoint.token = writer.token();
        self.checkpoint.settling_since = Some(self.shared.core.clock().now());
        if self.transfer.hash.is_none() {
            self.transfer.hash.clone_from(&moved.hash);
        }
        self.transfer.state = TransferState::Verifying;
        self.enter(TransferState::Settling).await?;
        self.stop.check()?;
        match far.finish(writer).await {
            Ok(bytes) if bytes == moved.total_bytes => Ok(true),
            Ok(bytes) => Err(source_changed(format!(
                "{} bytes were sent and {bytes} arrived",
                moved.total_bytes
            ))),
            Err(fault) => self.refused(far, target, &fault).await,
        }
    }

    /// Ends what stopped while it was published. False if all has to begin again.
    pub(super) async fn publish_again(
        &mut self,
        far: &Far,
        target: &RemotePath,
        total_bytes: u64,
    ) -> Result<bool, Halt> {
        if self.is_ours(far, target).await? {
            return Ok(true);
        }
        let Some(token) = self.checkpoint.token.clone() else {
            self.begin_again("its file is not there");
            return Ok(false);
        };
        if self.checkpoint.confirmed_bytes != total_bytes {
            self.begin_again("its upload is not whole");
            return Ok(false);
        }
        let options = WriteOptions {
            offset: total_bytes,
            token: Some(token),
            size_hint: Some(total_bytes),
            replace: self.replace(),
        };
        let writer = match far.write(target, options).await {
            Ok(writer) => writer,
            Err(Halt::Trouble(trouble)) if !trouble.is_transient || trouble.starts_over => {
                self.begin_again("its upload is gone");
                return Ok(false);
            }
            Err(halt) => return Err(halt),
        };
        match far.finish(writer).await {
            Ok(bytes) if bytes == total_bytes => Ok(true),
            Ok(_) => {
                self.begin_again("its upload held other bytes");
                Ok(false)
            }
            Err(fault) if fault.kind() == &FaultKind::NotFound => {
                self.begin_again("its upload is gone");
                Ok(false)
            }
            // Whether it went there or was left alone, the transfer is over.
            Err(fault) => {
                self.transfer.is_skipped = !self.refused(far, target.clone(), &fault).await?;
                Ok(true)
            }
        }
    }

    /// What a refusal to publish means.
    async fn refused(
        &mut self,
        far: &Far,
        target: RemotePath,
        fault: &Fault,
    ) -> Result<bool, Halt> {
        if fault.kind() != &FaultKind::Exists {
            return Err(far.halt(fault));
        }
        match self.transfer.on_conflict {
            OnConflict::Skip => {
                if let Some(token) = self.checkpoint.token.take() {
                    far.abandon(&target, &token).await;
                }
                Ok(false)
            }
            // The free name was taken in the meantime; the next try finds another.
            OnConflict::Rename => {
                let Halt::Trouble(trouble) = destination_exists(&target) else {
                    return Err(far.halt(fault));
                };
                Err(trouble.transient().starting_over().into())
            }
            OnConflict::Fail | OnConflict::Replace => {
                self.checkpoint.phase = Phase::Moving;
                Err(destination_exists(target))
            }
        }
    }

    /// Compares what is there now with the source. What differs is taken away again.
    pub(super) async fn verify_published(
        &mut self,
        far: &Far,
        source: &Source,
        moved: Moved,
    ) -> Result<(), Halt> {
        let Some(target) = self
            .checkpoint
            .target
            .as_ref()
            .and_then(|target| target.parse::<RemotePath>().ok())
        else {
            return Ok(());
        };
        let compared = self.compare(far, source, &target, moved).await;
        if let Err(Halt::Trouble(trouble)) = &compared
            && is_mismatch(trouble)
        {
            far.clear_up(&target).await;
        }
        compared
    }
}

fn is_mismatch(trouble: &Trouble) -> bool {
    trouble.fault.code == "digest_mismatch"
}
