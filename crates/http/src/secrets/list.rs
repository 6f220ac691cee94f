use axum::extract::State;
use axum::response::Response;
use bailee_api::SecretList;
use bailee_core::Core;
use bailee_model::Page;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List secrets, newest first, without their values
#[utoipa::path(get, path = "/secrets", operation_id = "secrets.list", tag = "secrets", params(PageQuery),
    responses((status = 200, description = "A page of secrets", body = SecretList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core.secrets().list(&caller, paging.request.clone()).await?;
    let data = page.data.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let next = page.next;
    Ok(paging.answer(Page { data, next }, |secret| secret))
}
