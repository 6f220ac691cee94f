use axum::extract::State;
use axum::response::Response;
use bailee_api::{Publication, PublicationList};
use bailee_core::Core;
use bailee_model::{ChannelId, SubscriberId};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, PageQuery, Paging};

/// List the files of a subscriber and how each fares, newest first
#[utoipa::path(get, path = "/channels/{channel_id}/subscribers/{subscriber_id}/files", operation_id = "channels.files",
    tag = "channels",
    params(
        ("channel_id" = String, Path, description = "The channel"),
        ("subscriber_id" = String, Path, description = "The subscriber"),
        PageQuery),
    responses((status = 200, description = "A page of files", body = PublicationList)))]
pub(crate) async fn files(
    State(core): State<Core>,
    caller: Authenticated,
    Id(ids): Id<(ChannelId, SubscriberId)>,
    paging: Paging,
) -> Answer<Response> {
    let request = paging.request.clone();
    let page = core.channels().files(&caller, ids, request).await?;
    Ok(paging.answer(page, |view| Publication::from(&view)))
}
