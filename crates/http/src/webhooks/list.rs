use axum::extract::State;
use axum::response::Response;
use bailee_api::WebhookList;
use bailee_core::Core;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List webhooks, newest first
#[utoipa::path(get, path = "/webhooks", operation_id = "webhooks.list", tag = "webhooks", params(PageQuery),
    responses((status = 200, description = "A page of webhooks", body = WebhookList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core
        .webhooks()
        .list(&caller, paging.request.clone())
        .await?;
    Ok(paging.answer(page, |webhook| view(&webhook, None)))
}
