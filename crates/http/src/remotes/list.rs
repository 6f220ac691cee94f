use axum::extract::State;
use axum::response::Response;
use bailee_api::RemoteList;
use bailee_core::Core;
use bailee_model::Page;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List remotes, newest first
#[utoipa::path(get, path = "/remotes", operation_id = "remotes.list", tag = "remotes", params(PageQuery),
    responses((status = 200, description = "A page of remotes", body = RemoteList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core.remotes().list(&caller, paging.request.clone()).await?;
    let data = page.data.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let next = page.next;
    Ok(paging.answer(Page { data, next }, |remote| remote))
}
