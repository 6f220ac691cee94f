//! Transfers of many files: this lists them and queues each as a transfer of its own, which the same runner takes.
//!
//! The job of such a transfer moves nothing itself. Once all is listed it only looks whether all ended.

use bailee_core::model::{Error, ErrorKind, Lease, Transfer, TransferFault, TransferOutcome};
use bailee_core::{Caller, FoundFiles};

use super::attempt::Attempt;
use super::checkpoint::Checkpoint;
use super::fault::Halt;
use super::listing::Walk;
use super::{Watched, postpone};
use crate::stop::{Stop, StopReason};
use crate::{Shared, limit};

/// Lists the files of a transfer, or looks whether all of them ended.
pub(super) async fn run(
    shared: &Shared,
    lease: &Lease,
    stop: &Stop,
    (transfer, caller): (Transfer, Caller),
) {
    let counts = transfer.counts.unwrap_or_default();
    let watched = Watched::of(lease, &transfer);
    let mut attempt = Attempt {
        shared,
        lease,
        stop,
        caller,
        transfer,
        checkpoint: Checkpoint::default(),
        paces: Vec::new(),
        bounds: Vec::new(),
        is_known_same: false,
    };
    if !counts.is_listed {
        let listed = tokio::select! {
            listed = list(&mut attempt) => listed,
            never = watched.watch(&shared.core, stop) => match never {},
        };
        match listed {
            Ok(()) => {}
            Err(Halt::Stopped(StopReason::Steered | StopReason::Deadline)) => {
                return let_go(&attempt).await;
            }
            Err(Halt::Trouble(trouble)) if !attempt.tries_again(&trouble) => {
                let last = FoundFiles {
                    is_last: true,
                    fault: Some(trouble.fault),
                    ..FoundFiles::default()
                };
                let runs = shared.core.runs();
                let told = runs.add_files(lease, &mut attempt.transfer, last).await;
                if let Err(error) = told {
                    return put_off(shared, lease, &error).await;
                }
            }
            Err(halt) => return attempt.end(Err(halt)).await,
        }
    }
    end_if_over(shared, lease, attempt.transfer).await;
}

/// Ends the files that wait, and the transfer when all ended.
pub(super) async fn end(
    shared: &Shared,
    lease: &Lease,
    mut transfer: Transfer,
    why: (TransferOutcome, TransferFault),
) {
    let runs = shared.core.runs();
    match runs.end_files(lease, &mut transfer, why).await {
        Ok(()) => end_if_over(shared, lease, transfer).await,
        Err(error) => put_off(shared, lease, &error).await,
    }
}

async fn list(attempt: &mut Attempt<'_>) -> Result<(), Halt> {
    let (tenant, id) = (attempt.lease.job.tenant, attempt.transfer.id);
    let runs = attempt.shared.core.runs();
    let bundle = runs.bundle(tenant, id).await;
    let (bundle, place) =
        bundle.map_err(|error| super::fault::from_core(&error, super::fault::Side::Source))?;
    let mut walk = Walk::new(&bundle, &attempt.transfer.destination, place);
    loop {
        let found = walk.next(attempt.sight()).await?;
        attempt.stop.check()?;
        let is_last = found.is_last;
        let runs = attempt.shared.core.runs();
        let added = runs
            .add_files(attempt.lease, &mut attempt.transfer, found)
            .await;
        if let Err(error) = added {
            let reason = attempt.look_again().await;
            if error.kind() == ErrorKind::StateConflict {
                attempt.stop.because(reason);
                return Err(reason.into());
            }
            return Err(super::fault::from_core(
                &error,
                super::fault::Side::Destination,
            ));
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn end_if_over(shared: &Shared, lease: &Lease, mut transfer: Transfer) {
    let runs = shared.core.runs();
    if let Err(error) = runs.end_if_over(lease, &mut transfer).await {
        put_off(shared, lease, &error).await;
    }
}

/// Somebody steered it while it listed: a paused one rests, any other begins anew and finds out what is wanted.
async fn let_go(attempt: &Attempt<'_>) {
    let (core, lease) = (&attempt.shared.core, attempt.lease);
    let runs = core.runs();
    let stored = runs.reload(lease.job.tenant, attempt.transfer.id).await;
    let over = match stored {
        Ok(stored) if stored.state == bailee_core::model::TransferState::Paused => {
            core.jobs().finish(lease).await
        }
        _ => core.runs().hand_back(lease).await,
    };
    if let Err(error) = over {
        tracing::debug!(transfer.id = %attempt.transfer.id, error = %error, "a transfer goes on when its lease ends");
    }
}

async fn put_off(shared: &Shared, lease: &Lease, error: &Error) {
    if error.kind() != ErrorKind::StateConflict {
        tracing::warn!(job.id = %lease.job.id, error = %error, "a transfer of many files waits");
    }
    postpone(&shared.core, lease, limit::LANE_WAIT).await;
}
