//! What runs beside the jobs: sealing the journal, signing its size, handing events on, sweeping.
//!
//! Each loop is leased by nobody: the core's own guards make a second node that does the same find nothing to do.

use std::sync::Arc;
use std::time::Duration;

use bailee_core::SweepReport;
use bailee_core::model::Result;
use tokio_util::sync::CancellationToken;

use crate::{Shared, limit};

/// Seals what was committed and hands sealed events to webhooks, until told to stop; then once more.
pub(crate) async fn seal(shared: Arc<Shared>, stop: CancellationToken) {
    let mut changes = shared.core.changes();
    let mut failures = 0;
    while !stop.is_cancelled() {
        changes.borrow_and_update();
        match seal_once(&shared).await {
            Ok(was_idle) => {
                failures = 0;
                if !was_idle {
                    // One step may not have been all.
                    rest(limit::SEAL_REST, &stop).await;
                    continue;
                }
            }
            Err(error) => {
                failures += 1;
                noted("seal", &error);
                rest(crate::back_off(failures), &stop).await;
                continue;
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Ok(()) = changes.changed() => rest(limit::SEAL_REST, &stop).await,
            () = tokio::time::sleep(limit::SEAL_EVERY) => {}
        }
    }
    let last = async {
        while !seal_once(&shared).await? {}
        Ok(())
    };
    if let Err(error) = last.await {
        noted("seal", &error);
    }
}

/// Signs the journal's size each minute.
pub(crate) async fn sign(shared: Arc<Shared>, stop: CancellationToken) {
    let core = &shared.core;
    each(limit::SIGN_EVERY, "sign", &stop, || async {
        core.upkeep().sign_checkpoints().await?;
        Ok(limit::SIGN_EVERY)
    })
    .await;
}

/// Sweeps what expired, at times that differ between nodes.
pub(crate) async fn sweep(shared: Arc<Shared>, stop: CancellationToken) {
    let every =
        limit::SWEEP_EVERY.mul_f64(0.75 + 0.5 * f64::from(shared.draw()) / f64::from(u16::MAX));
    let core = &shared.core;
    each(every, "sweep", &stop, || async {
        let report = core.upkeep().sweep().await?;
        let was_idle = report == SweepReport::default();
        Ok(if was_idle { every } else { limit::SWEEP_AGAIN })
    })
    .await;
}

/// Hangs up connectors that nobody came for.
pub(crate) async fn hang_up(shared: Arc<Shared>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        rest(limit::IDLE_CONNECTORS_SWEPT_EVERY, &stop).await;
        shared.pool.sweep();
    }
}

/// One step of sealing and of handing on. Whether there was nothing to do.
async fn seal_once(shared: &Shared) -> Result<bool> {
    let sealed = shared.core.upkeep().seal_journal().await?;
    let dispatched = shared.core.upkeep().dispatch_events().await?;
    let watched = shared.core.upkeep().watch_journal().await?;
    let published = shared.core.upkeep().publish_arrivals().await?;
    let triggered = shared.core.upkeep().trigger_flows().await?;
    Ok(sealed == 0 && dispatched == 0 && watched == 0 && published == 0 && triggered == 0)
}

/// Does `work` again and again, after the wait that it returns.
async fn each<W>(
    first: Duration,
    name: &'static str,
    stop: &CancellationToken,
    mut work: impl FnMut() -> W,
) where
    W: Future<Output = Result<Duration>>,
{
    let mut failures = 0;
    let mut wait = first;
    loop {
        rest(wait, stop).await;
        if stop.is_cancelled() {
            return;
        }
        wait = match work().await {
            Ok(next) => {
                failures = 0;
                next
            }
            Err(error) => {
                failures += 1;
                noted(name, &error);
                crate::back_off(failures)
            }
        };
    }
}

async fn rest(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}

fn noted(name: &'static str, error: &bailee_core::model::Error) {
    metrics::counter!("bailee_upkeep_failures_total", "work" => name).increment(1);
    tracing::warn!(work = name, error = %error, "upkeep failed and is tried again");
}
