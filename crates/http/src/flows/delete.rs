use axum::extract::State;
use bailee_core::Core;
use bailee_model::FlowId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove a flow
///
/// Not while runs of it are open. Those that ended stay to be read.
#[utoipa::path(delete, path = "/flows/{flow_id}", operation_id = "flows.delete", tag = "flows",
    params(("flow_id" = String, Path, description = "The flow")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.flows().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
