use axum::extract::State;
use axum::response::Response;
use bailee_api::UploadSessionList;
use bailee_core::Core;

use super::view::listed;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List one's own open uploads, newest first
#[utoipa::path(get, path = "/uploads", operation_id = "uploads.list", tag = "uploads", params(PageQuery),
    responses((status = 200, description = "A page of sessions", body = UploadSessionList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core.uploads().list(&caller, paging.request.clone()).await?;
    Ok(paging.answer(page, |held| listed(&held)))
}
