use axum::extract::State;
use axum::response::Response;
use bailee_api::{Subscriber, SubscriberList};
use bailee_core::Core;
use bailee_model::ChannelId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, PageQuery, Paging};

/// List the subscribers of a channel, newest first
#[utoipa::path(get, path = "/channels/{channel_id}/subscribers", operation_id = "channels.subscribers", tag = "channels",
    params(("channel_id" = String, Path, description = "The channel"), PageQuery),
    responses((status = 200, description = "A page of subscribers", body = SubscriberList)))]
pub(crate) async fn subscribers(
    State(core): State<Core>,
    caller: Authenticated,
    Id(channel): Id<ChannelId>,
    paging: Paging,
) -> Answer<Response> {
    let request = paging.request.clone();
    let page = core
        .channels()
        .subscribers(&caller, channel, request)
        .await?;
    Ok(paging.answer(page, |subscriber| Subscriber::from(&subscriber)))
}
