use axum::extract::State;
use axum::response::Response;
use bailee_api::AuditCheckpointList;
use bailee_core::Core;
use bailee_model::{Cursor, Page};

use super::view::checkpoint;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List signed checkpoints, newest first
#[utoipa::path(get, path = "/audit/checkpoints", operation_id = "audit.checkpoints", tag = "audit",
    params(PageQuery),
    responses((status = 200, description = "A page of checkpoints", body = AuditCheckpointList)))]
pub(crate) async fn checkpoints(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let rows = paging.request.limit;
    let below = paging
        .request
        .after
        .as_ref()
        .and_then(|after| after.key.parse().ok());
    let found = core
        .audit()
        .checkpoints(&caller, below.unwrap_or(u64::MAX), rows + 1)
        .await?;
    let page = Page::cut(found, rows, |(size, ..)| Cursor {
        key: size.to_string(),
        id: String::new(),
    });
    Ok(paging.answer(page, checkpoint))
}
