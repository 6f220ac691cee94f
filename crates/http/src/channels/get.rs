use axum::extract::State;
use bailee_api::Channel;
use bailee_core::Core;
use bailee_model::ChannelId;

use super::form::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a channel
#[utoipa::path(get, path = "/channels/{channel_id}", operation_id = "channels.get", tag = "channels",
    params(("channel_id" = String, Path, description = "The channel")),
    responses((status = 200, description = "The channel", body = Channel)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ChannelId>,
) -> Answer {
    let channel = core.channels().get(&caller, id).await?;
    Ok(found(&channel))
}
