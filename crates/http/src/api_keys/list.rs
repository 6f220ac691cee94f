use axum::extract::State;
use axum::response::Response;
use bailee_api::ApiKeyList;
use bailee_core::Core;
use bailee_model::PrincipalId;
use serde::Deserialize;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging, Query};

/// Which keys.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only of this principal.
    #[param(value_type = Option<String>)]
    principal_id: Option<PrincipalId>,
}

/// List API keys, newest first: one's own, or all with the right to read identities
#[utoipa::path(get, path = "/api-keys", operation_id = "api_keys.list", tag = "api-keys",
    params(ListQuery, PageQuery),
    responses((status = 200, description = "A page of keys", body = ApiKeyList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ListQuery>,
    paging: Paging,
) -> Answer<Response> {
    let page = core
        .keys()
        .list(&caller, query.principal_id, paging.request.clone())
        .await?;
    let now = core.clock().now();
    Ok(paging.answer(page, |(key, used)| view((&key, used), None, now)))
}
