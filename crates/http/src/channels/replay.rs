use axum::extract::State;
use bailee_api::{ReplaySubscriber, Subscriber};
use bailee_core::Core;
use bailee_model::{ChannelId, Error, Replay, SubscriberId};

use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Hand files on to one subscriber once more
///
/// By `file_id`, by `since`, or by `which`. What waits for the subscriber anyway is not doubled. Other subscribers get
/// nothing.
#[utoipa::path(post, path = "/channels/{channel_id}/subscribers/{subscriber_id}/replay", operation_id = "channels.replay",
    tag = "channels",
    params(
        ("channel_id" = String, Path, description = "The channel"),
        ("subscriber_id" = String, Path, description = "The subscriber")),
    request_body = ReplaySubscriber,
    responses((status = 202, description = "The subscriber, for whom the files wait", body = Subscriber)))]
pub(crate) async fn replay(
    State(core): State<Core>,
    caller: Authenticated,
    Id(ids): Id<(ChannelId, SubscriberId)>,
    Json(wish): Json<ReplaySubscriber>,
) -> Answer<Accepted<Subscriber>> {
    let subscriber = core.channels().replay(&caller, ids, which(&wish)?).await?;
    let body = Subscriber::from(&subscriber);
    Ok(Accepted {
        location: body.links.own.clone(),
        body,
    })
}

fn which(wish: &ReplaySubscriber) -> Result<Replay, Error> {
    match (wish.file_id, wish.since, wish.which.as_deref()) {
        (Some(file), None, None) => Ok(Replay::File(file)),
        (None, Some(time), None) => Ok(Replay::Since(time)),
        (None, None, Some("failed")) => Ok(Replay::Failed),
        (None, None, Some("all")) => Ok(Replay::All),
        (None, None, Some(_)) => Err(Error::field(
            "#/which",
            "invalid",
            "Must be `failed` or `all`.",
        )),
        (None, None, None) => Err(Error::field(
            "#/which",
            "missing",
            "Say which files: `file_id`, `since` or `which`.",
        )),
        _ => Err(Error::field(
            "#/which",
            "conflict",
            "Name one of `file_id`, `since` and `which`.",
        )),
    }
}
