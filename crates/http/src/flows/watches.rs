use axum::extract::State;
use bailee_api::{FlowWatch, FlowWatches};
use bailee_core::Core;
use bailee_model::FlowId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Show what a flow's watches found
///
/// When somebody last looked for each trigger of kind `watch`, how many files are there, and why a look did not go well.
#[utoipa::path(get, path = "/flows/{flow_id}/watches", operation_id = "flows.watches", tag = "flows",
    params(("flow_id" = String, Path, description = "The flow")),
    responses((status = 200, description = "The newest looks", body = FlowWatches)))]
pub(crate) async fn watches(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowId>,
) -> Answer<Body<FlowWatches>> {
    let states = core.flows().watches(&caller, id).await?;
    let data = states.iter().map(FlowWatch::from).collect();
    Ok(Body(FlowWatches { data }))
}
