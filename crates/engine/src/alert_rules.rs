//! Looking whether the condition of an alert rule holds: all of it is one transaction of the core's.

use bailee_core::model::{ErrorKind, Lease};

use crate::Shared;

/// Runs one look of a rule. What could not be done is done at the next look.
pub(crate) async fn run(shared: &Shared, lease: &Lease) {
    let core = &shared.core;
    let Err(error) = core.alert_rules().look(lease).await else {
        return;
    };
    let at = if error.kind() == ErrorKind::StateConflict {
        tracing::debug!(job.id = %lease.job.id, error = %error, "an alert rule is looked at again");
        core.clock().now()
    } else {
        tracing::warn!(job.id = %lease.job.id, error = %error, "an alert rule could not be looked at");
        core.clock().now().plus(crate::back_off(lease.attempt))
    };
    if let Err(error) = core.jobs().postpone(lease, at).await {
        // Its lease ends by itself, and then it is due again; or it is gone with its rule.
        tracing::debug!(job.id = %lease.job.id, error = %error, "a job could not be handed back");
    }
}
