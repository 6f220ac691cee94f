use axum::extract::State;
use axum::response::Response;
use bailee_api::{Channel, ChannelList};
use bailee_core::Core;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List channels, newest first
#[utoipa::path(get, path = "/channels", operation_id = "channels.list", tag = "channels", params(PageQuery),
    responses((status = 200, description = "A page of channels", body = ChannelList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core
        .channels()
        .list(&caller, paging.request.clone())
        .await?;
    Ok(paging.answer(page, |channel| Channel::from(&channel)))
}
