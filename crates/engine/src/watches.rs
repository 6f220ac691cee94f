//! Looks for new files at the remotes that flows watch.
//!
//! Only names, sizes and times are read; the core says what is new and starts the runs.

use bailee_core::model::flow::WatchTrigger;
use bailee_core::model::{ErrorKind, Lease, Result};
use bailee_core::{WatchLook, WatchTurn, WatchedFlow};

use crate::stop::Stop;
use crate::transfers::{Unseen, see};
use crate::{Shared, back_off};

/// Makes the looks of a flow that are due. What could not be done is done at the next look.
pub(crate) async fn run(shared: &Shared, lease: &Lease, stop: &Stop) {
    let core = &shared.core;
    let Err(error) = look_around(shared, lease, stop).await else {
        return;
    };
    let at = if error.kind() == ErrorKind::StateConflict {
        tracing::debug!(job.id = %lease.job.id, error = %error, "a flow's watches are looked after again");
        core.clock().now()
    } else {
        tracing::warn!(job.id = %lease.job.id, error = %error, "a flow's watches could not be looked after");
        core.clock().now().plus(back_off(lease.attempt))
    };
    if let Err(error) = core.jobs().postpone(lease, at).await {
        // Its lease ends by itself, and then it is due again; or it is gone with its flow.
        tracing::debug!(job.id = %lease.job.id, error = %error, "a job could not be handed back");
    }
}

async fn look_around(shared: &Shared, lease: &Lease, stop: &Stop) -> Result<()> {
    let core = &shared.core;
    let Some(watched) = core.flow_watches().begin(lease).await? else {
        return Ok(());
    };
    for watch in &watched.due {
        let Some(look) = look(shared, lease, (&watched, watch), stop).await? else {
            return core.jobs().postpone(lease, core.clock().now()).await;
        };
        let watches = core.flow_watches();
        watches.looked(lease, (&watched, watch), look).await?;
    }
    core.flow_watches().rest(lease, &watched).await
}

/// What is there; `None` if this node stops.
async fn look(
    shared: &Shared,
    lease: &Lease,
    (watched, watch): (&WatchedFlow, &WatchTrigger),
    stop: &Stop,
) -> Result<Option<WatchLook>> {
    let watches = shared.core.flow_watches();
    let target = match watches.open(lease, watched, watch).await? {
        WatchTurn::Look(target) => target,
        WatchTurn::Over(look) => return Ok(Some(look)),
    };
    let seen = see(shared, (lease, &target), &watch.path, stop).await;
    Ok(match seen {
        Ok(files) => Some(WatchLook::Files(files)),
        Err(Unseen::Fault(fault)) => Some(WatchLook::Failed(fault)),
        Err(Unseen::Stopped) => None,
    })
}
