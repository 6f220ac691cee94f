use axum::extract::State;
use axum::response::Response;
use bailee_api::{Flow, FlowList};
use bailee_core::Core;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List flows, newest first
#[utoipa::path(get, path = "/flows", operation_id = "flows.list", tag = "flows", params(PageQuery),
    responses((status = 200, description = "A page of flows", body = FlowList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core.flows().list(&caller, paging.request.clone()).await?;
    Ok(paging.answer(page, |flow| Flow::from(&flow)))
}
