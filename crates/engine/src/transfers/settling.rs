//! Giving the temporary file at a remote its final name, once.
//!
//! That it may have happened is stored before it happens. Whoever comes next finds either the temporary file, and
//! renames it, or the final one, and knows it by its size and hash.

use bailee_connect::{FaultKind, RemotePath};
use bailee_core::model::{OnConflict, TransferState, Verify};

use super::attempt::Attempt;
use super::checkpoint::{Checkpoint, Phase, Settled, settle_plan};
use super::far::Far;
use super::fault::{Halt, Trouble, destination_exists};
use super::moving::free_name;

impl Attempt<'_> {
    /// Renames `temporary` to `target`, or to a free name where that is wanted.
    pub(super) async fn settle(
        &mut self,
        far: &Far,
        temporary: &RemotePath,
        mut target: RemotePath,
    ) -> Result<(), Halt> {
        let on_conflict = self.transfer.on_conflict;
        let replace = self.replace();
        for _ in 0..crate::limit::NAMES_TRIED_MAX {
            self.checkpoint.phase = Phase::Settling;
            self.checkpoint.target = Some(target.to_string());
            self.checkpoint.settling_since = Some(self.shared.core.clock().now());
            self.enter(TransferState::Settling).await?;
            self.stop.check()?;
            let Err(fault) = far.rename(temporary, &target, replace).await else {
                return Ok(());
            };
            match (fault.kind(), on_conflict) {
                (FaultKind::Exists, OnConflict::Rename) => {
                    let wanted = self
                        .checkpoint
                        .wanted
                        .as_ref()
                        .and_then(|wanted| wanted.parse().ok());
                    target = free_name(far, &wanted.unwrap_or(target)).await?;
                }
                (FaultKind::Exists, OnConflict::Skip) => {
                    far.clear_up(temporary).await;
                    self.transfer.is_skipped = true;
                    return Ok(());
                }
                (FaultKind::Exists, _) => {
                    self.checkpoint.phase = Phase::Moving;
                    return Err(destination_exists(target));
                }
                (FaultKind::NotFound, _) if self.is_ours(far, &target).await? => return Ok(()),
                (FaultKind::NotFound, _) => return Err(vanished(far)),
                _ => return Err(far.halt(&fault)),
            }
        }
        Err(destination_exists(target))
    }

    /// Ends what stopped while settling. False if all has to begin again.
    pub(super) async fn settle_again(&mut self, far: &Far) -> Result<bool, Halt> {
        let place = |text: &Option<String>| {
            text.as_ref()
                .and_then(|text| text.parse::<RemotePath>().ok())
        };
        let (temporary, target) = (
            place(&self.checkpoint.temporary),
            place(&self.checkpoint.target),
        );
        if let (Some(target), Some(total), true) = (
            &target,
            self.transfer.bytes_total,
            far.is_written_in_place(),
        ) {
            return self.publish_again(far, target, total).await;
        }
        let (Some(temporary), Some(target), Some(total)) =
            (temporary, target, self.transfer.bytes_total)
        else {
            self.checkpoint = Checkpoint::default();
            return Ok(false);
        };
        let waiting = far.size(&temporary, total).await?;
        let last = far.size(&target, total).await?;
        match settle_plan(waiting, last, total) {
            Settled::Not => {
                self.settle(far, &temporary, target).await?;
                return Ok(true);
            }
            Settled::Perhaps if self.is_ours(far, &target).await? => return Ok(true),
            Settled::Perhaps | Settled::Lost => {}
        }
        self.begin_again("its temporary file is gone");
        Ok(false)
    }

    /// Forgets how far it came.
    pub(super) fn begin_again(&mut self, why: &str) {
        tracing::info!(transfer.id = %self.transfer.id, why, "a transfer begins again");
        self.checkpoint = Checkpoint::default();
        self.transfer.bytes_done = 0;
    }

    /// Whether the file at `target` is what was sent: by size, and by hash where the transfer asks for it.
    pub(super) async fn is_ours(&self, far: &Far, target: &RemotePath) -> Result<bool, Halt> {
        let Some(total) = self.transfer.bytes_total else {
            return Ok(false);
        };
        if far.size(target, total).await? != Some(total) {
            return Ok(false);
        }
        match (&self.transfer.hash, self.transfer.verify) {
            // Before a source goes, its copy must be more than as long as it.
            (Some(hash), verify) if verify == Verify::Hash || self.transfer.delete_source => {
                Ok(far.digest(target).await? == *hash)
            }
            _ => Ok(true),
        }
    }
}

fn vanished(far: &Far) -> Halt {
    let message = format!(
        "Remote `{}`: the temporary file vanished before it got its name.",
        far.name()
    );
    let hint = "Ask the partner whether something picks up or removes hidden files as they arrive.";
    Trouble::new("remote_failed", message, hint)
        .transient()
        .starting_over()
        .into()
}
