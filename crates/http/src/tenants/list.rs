use axum::extract::State;
use axum::response::Response;
use bailee_api::TenantList;
use bailee_core::Core;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List tenants, newest first
#[utoipa::path(get, path = "/tenants", operation_id = "tenants.list", tag = "tenants", params(PageQuery),
    responses((status = 200, description = "A page of tenants", body = TenantList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core.tenants().list(&caller, paging.request.clone()).await?;
    Ok(paging.answer(page, |tenant| view(&tenant, None)))
}
