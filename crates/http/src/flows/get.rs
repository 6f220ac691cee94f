use axum::extract::State;
use bailee_api::Flow;
use bailee_core::Core;
use bailee_model::FlowId;

use super::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a flow
#[utoipa::path(get, path = "/flows/{flow_id}", operation_id = "flows.get", tag = "flows",
    params(("flow_id" = String, Path, description = "The flow")),
    responses((status = 200, description = "The flow", body = Flow)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowId>,
) -> Answer {
    let flow = core.flows().get(&caller, id).await?;
    Ok(found(&flow))
}
