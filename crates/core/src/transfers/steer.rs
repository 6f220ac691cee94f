use bailee_auth::{Action, Caller};
use bailee_model::{
    Error, ErrorKind, JobKind, Result, Transfer, TransferId, TransferOutcome, TransferState,
};
use bailee_store::{Change, DbError, conflict};

use crate::files::RACES_MAX;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{Core, error};

use super::{Transfers, cancelled};

impl Transfers<'_> {
    /// Ends a transfer with outcome `cancelled`: at once when it waits, at its next step when it runs.
    pub async fn cancel(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        self.steer(caller, id, "transfers.cancel", |core, change, transfer| {
            if transfer.state.is_final() {
                return Err(ended(transfer));
            }
            transfer.cancel_requested = true;
            if transfer.counts.is_some() {
                core.cancel_files(change, transfer);
                return Ok(());
            }
            if matches!(
                transfer.state,
                TransferState::Queued | TransferState::Paused
            ) {
                core.end_transfer(
                    change,
                    transfer,
                    TransferOutcome::Cancelled,
                    Some(cancelled()),
                );
                change.drop_job(JobKind::RunTransfer, &transfer.id.to_string());
            }
            Ok(())
        })
        .await
    }

    /// Holds a transfer that waits, or one that runs at its next checkpoint.
    pub async fn pause(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        self.steer(caller, id, "transfers.pause", |_, change, transfer| {
            if !transfer.state.may_become(TransferState::Paused) {
                return Err(ended(transfer));
            }
            transfer.state = TransferState::Paused;
            transfer.next_attempt_at = None;
            transfer.waits_for = None;
            change.drop_job(JobKind::RunTransfer, &transfer.id.to_string());
            if transfer.counts.is_some() {
                change.put_files_aside(transfer.id);
            }
            Ok(())
        })
        .await
    }

    /// Lets a paused transfer go on.
    pub async fn resume(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        self.steer(caller, id, "transfers.resume", |core, change, transfer| {
            if transfer.state != TransferState::Paused {
                return Err(Error::new(
                    ErrorKind::StateConflict,
                    "The transfer is not paused.",
                ));
            }
            transfer.state = TransferState::Queued;
            change.drop_job(JobKind::RunTransfer, &transfer.id.to_string());
            change.enqueue(&core.transfer_job(change.tenant(), transfer));
            if transfer.counts.is_some() {
                change.bring_files_back(transfer.id);
            }
            Ok(())
        })
        .await
    }

    /// Changes a transfer from outside, whatever its runner does at the same time.
    pub(super) async fn steer(
        &self,
        caller: &Caller,
        id: TransferId,
        operation: &'static str,
        act: impl Fn(&Core, &mut Change, &mut Transfer) -> Result<()>,
    ) -> Result<Transfer> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        for _ in 0..RACES_MAX {
            let (permit, mut transfer) = self
                .find(caller, operation, Action::TransferControl, id)
                .await?;
            let mut change = self.core.store.change(&permit);
            act(self.core, &mut change, &mut transfer)?;
            transfer.revision += 1;
            transfer.updated_at = self.core.clock.now();
            change.put_transfer(&transfer);
            let note = Note::record(operation).of_transfer(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            made(&mut change, &transfer)?;
            match change.commit().await {
                Ok(()) => return Ok(transfer),
                Err(DbError::Conflict(conflict::TRANSFER_REVISION | "job")) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("transfer"))
    }
}

pub(super) fn ended(transfer: &Transfer) -> Error {
    Error::new(
        ErrorKind::StateConflict,
        format!("The transfer is {}.", transfer.state.public()),
    )
}
