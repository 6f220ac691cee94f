use axum::extract::State;
use bailee_api::{Flow, FlowDocument};
use bailee_core::Core;
use bailee_model::FlowId;

use super::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Document, Guard, Id};

/// Give a flow another document
///
/// From then on it acts in the caller's name. Runs that began go on by the document that they began with.
#[utoipa::path(put, path = "/flows/{flow_id}", operation_id = "flows.replace", tag = "flows",
    params(("flow_id" = String, Path, description = "The flow")),
    request_body(content(
        (FlowDocument = "application/json"),
        (String = "application/yaml"),
    )),
    responses((status = 200, description = "The flow as it is now", body = Flow)))]
pub(crate) async fn replace(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowId>,
    Guard(guard): Guard,
    Document(document): Document,
) -> Answer {
    let flow = core.flows().replace(&caller, id, document, guard).await?;
    Ok(found(&flow))
}
