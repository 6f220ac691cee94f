use axum::extract::State;
use axum::response::Response;
use bailee_api::{CreateSubscriber, Subscriber};
use bailee_core::{Core, NewSubscriber};
use bailee_model::{ChannelId, ChannelState, Error, OnConflict};

use super::form::{filter, name, target};
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Subscribe to a channel
///
/// Each file that arrives from now on is handed on by a transfer of its own, in the caller's name, with the rights that
/// the caller has then; to a webhook, by a delivery of its own.
#[utoipa::path(post, path = "/channels/{channel_id}/subscribers", operation_id = "channels.subscribe", tag = "channels",
    params(("channel_id" = String, Path, description = "The channel")),
    request_body = CreateSubscriber,
    responses((status = 201, description = "The subscriber", body = Subscriber)))]
pub(crate) async fn subscribe(
    State(core): State<Core>,
    caller: Authenticated,
    Id(channel): Id<ChannelId>,
    Json(wish): Json<CreateSubscriber>,
) -> Answer<Response> {
    let new = command(&wish)?;
    let subscriber = core.channels().subscribe(&caller, channel, new).await?;
    let body = Subscriber::from(&subscriber);
    let location = body.links.own.clone();
    Ok(tagged(
        &subscriber.revision.to_string(),
        Created { location, body },
    ))
}

fn command(wish: &CreateSubscriber) -> Result<NewSubscriber, Error> {
    let target = target(wish.destination.as_deref(), wish.webhook_id)?;
    Ok(NewSubscriber {
        name: name(&wish.name)?,
        target: target.ok_or_else(|| {
            let detail = "Say where its files go: `destination`, or `webhook_id`.";
            Error::field("#/destination", "missing", detail)
        })?,
        filter: filter(&wish.include, &wish.exclude)?,
        on_conflict: wish.on_conflict.unwrap_or(OnConflict::Replace),
        verify: wish.verify.unwrap_or_default(),
        state: wish.state.unwrap_or(ChannelState::Active),
    })
}
