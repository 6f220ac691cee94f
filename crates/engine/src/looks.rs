//! Looks at remotes, as often as each wants: whether it is reached and lets us in, and what its certificate says.
//!
//! A look writes nothing at the far side.

use bailee_core::model::Lease;

use crate::stop::Stop;
use crate::{Shared, limit, prober};

/// Looks at a remote once.
pub(crate) async fn run(shared: &Shared, lease: &Lease, stop: &Stop) {
    let watch = shared.core.remote_watch();
    let target = match watch.begin(lease).await {
        Ok(Some(target)) => target,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(job.id = %lease.job.id, error = %error, "a look at a remote could not begin");
            return again(shared, lease).await;
        }
    };
    let remote = target.remote.clone();
    let Ok(report) = Box::pin(stop.or(prober::report(shared, target, None))).await else {
        return again(shared, lease).await;
    };
    if let Err(error) = watch.looked(lease, &remote, &report).await {
        tracing::info!(remote = %remote.name, error = %error, "what a look at a remote found was not kept");
        again(shared, lease).await;
    }
}

async fn again(shared: &Shared, lease: &Lease) {
    let at = shared.core.clock().now().plus(limit::LOOK_AGAIN);
    if let Err(error) = shared.core.jobs().postpone(lease, at).await {
        // Its lease ends by itself, and then it is due again.
        tracing::debug!(job.id = %lease.job.id, error = %error, "a look could not be handed back");
    }
}
