use axum::extract::State;
use axum::response::Response;
use bailee_api::{FlowVersion, FlowVersionList};
use bailee_core::Core;
use bailee_model::FlowId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, PageQuery, Paging};

/// List the documents that a flow had, newest first
#[utoipa::path(get, path = "/flows/{flow_id}/versions", operation_id = "flows.versions", tag = "flows",
    params(("flow_id" = String, Path, description = "The flow"), PageQuery),
    responses((status = 200, description = "A page of documents", body = FlowVersionList)))]
pub(crate) async fn versions(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowId>,
    paging: Paging,
) -> Answer<Response> {
    let page = paging.request.clone();
    let page = core.flows().versions(&caller, id, page).await?;
    Ok(paging.answer(page, |version| FlowVersion::from(&version)))
}
