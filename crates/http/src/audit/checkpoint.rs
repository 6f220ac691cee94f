use axum::extract::State;
use bailee_api::AuditCheckpoint;
use bailee_core::Core;

use super::view::{checkpoint as view, no_checkpoint};
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read the signed checkpoint of a tree size
#[utoipa::path(get, path = "/audit/checkpoints/{tree_size}", operation_id = "audit.checkpoint", tag = "audit",
    params(("tree_size" = u64, Path, description = "Records covered")),
    responses((status = 200, description = "The checkpoint", body = AuditCheckpoint)))]
pub(crate) async fn checkpoint(
    State(core): State<Core>,
    caller: Authenticated,
    Id(size): Id<u64>,
) -> Answer<Body<AuditCheckpoint>> {
    let found = core
        .audit()
        .checkpoints(&caller, size.saturating_add(1), 1)
        .await?;
    let exact = found.into_iter().find(|(found, ..)| *found == size);
    Ok(Body(view(exact.ok_or_else(no_checkpoint)?)))
}
