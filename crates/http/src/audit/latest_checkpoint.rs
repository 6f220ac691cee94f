use axum::extract::State;
use bailee_api::AuditCheckpoint;
use bailee_core::Core;

use super::view::{checkpoint, no_checkpoint};
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;

/// Read the newest signed checkpoint
#[utoipa::path(get, path = "/audit/checkpoints/latest", operation_id = "audit.latest_checkpoint", tag = "audit",
    responses((status = 200, description = "The checkpoint", body = AuditCheckpoint)))]
pub(crate) async fn latest_checkpoint(
    State(core): State<Core>,
    caller: Authenticated,
) -> Answer<Body<AuditCheckpoint>> {
    let found = core.audit().checkpoints(&caller, u64::MAX, 1).await?;
    let newest = found.into_iter().next().ok_or_else(no_checkpoint)?;
    Ok(Body(checkpoint(newest)))
}
