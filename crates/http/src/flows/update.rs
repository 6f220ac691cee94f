use axum::extract::State;
use bailee_api::{ChangeFlow, Flow};
use bailee_core::{Core, FlowChange};
use bailee_model::{Error, FlowId};

use super::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Switch a flow's triggers on or off
///
/// In whose name it acts stays as it is.
#[utoipa::path(patch, path = "/flows/{flow_id}", operation_id = "flows.update", tag = "flows",
    params(("flow_id" = String, Path, description = "The flow")),
    request_body = ChangeFlow,
    responses((status = 200, description = "The flow as it is now", body = Flow)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowId>,
    Guard(guard): Guard,
    Json(wish): Json<ChangeFlow>,
) -> Answer {
    let enabled = wish
        .enabled
        .ok_or_else(|| Error::field("#/enabled", "missing", "Say `enabled`."))?;
    let change = FlowChange {
        is_enabled: enabled,
    };
    let flow = core.flows().update(&caller, id, change, guard).await?;
    Ok(found(&flow))
}
