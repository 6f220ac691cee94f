use axum::extract::State;
use bailee_api::Subscriber;
use bailee_core::Core;
use bailee_model::{ChannelId, SubscriberId};

use crate::answer::{Answer, Body, tagged};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a subscriber, and how its files stand
#[utoipa::path(get, path = "/channels/{channel_id}/subscribers/{subscriber_id}", operation_id = "channels.subscriber",
    tag = "channels",
    params(
        ("channel_id" = String, Path, description = "The channel"),
        ("subscriber_id" = String, Path, description = "The subscriber")),
    responses((status = 200, description = "The subscriber", body = Subscriber)))]
pub(crate) async fn subscriber(
    State(core): State<Core>,
    caller: Authenticated,
    Id((channel, id)): Id<(ChannelId, SubscriberId)>,
) -> Answer {
    let (subscriber, counts) = core.channels().subscriber(&caller, channel, id).await?;
    let body = Subscriber {
        files: Some(counts.into()),
        ..Subscriber::from(&subscriber)
    };
    Ok(tagged(&subscriber.revision.to_string(), Body(body)))
}
