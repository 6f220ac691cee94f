use axum::extract::State;
use bailee_api::{ChangeSubscriber, Subscriber};
use bailee_core::{Core, SubscriberChange};
use bailee_model::{ChannelId, Error, SubscriberId};

use super::form::{found_subscriber, globs, name, target};
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Change, pause or resume a subscriber
///
/// A JSON Merge Patch. From now on its files are read and written in the caller's name.
#[utoipa::path(patch, path = "/channels/{channel_id}/subscribers/{subscriber_id}",
    operation_id = "channels.update_subscriber", tag = "channels",
    params(
        ("channel_id" = String, Path, description = "The channel"),
        ("subscriber_id" = String, Path, description = "The subscriber")),
    request_body = ChangeSubscriber,
    responses((status = 200, description = "The subscriber as it is now", body = Subscriber)))]
pub(crate) async fn update_subscriber(
    State(core): State<Core>,
    caller: Authenticated,
    Id(ids): Id<(ChannelId, SubscriberId)>,
    Guard(guard): Guard,
    Json(wish): Json<ChangeSubscriber>,
) -> Answer {
    let change = change(&wish)?;
    let subscriber = core
        .channels()
        .update_subscriber(&caller, ids, change, guard)
        .await?;
    Ok(found_subscriber(&subscriber))
}

fn change(wish: &ChangeSubscriber) -> Result<SubscriberChange, Error> {
    let read = |texts: &Option<Vec<String>>, pointer: &str| {
        let globs = texts.as_ref().map(|texts| globs(texts, pointer));
        globs.transpose()
    };
    Ok(SubscriberChange {
        name: wish.name.as_deref().map(name).transpose()?,
        target: target(wish.destination.as_deref(), wish.webhook_id)?,
        include: read(&wish.include, "#/include")?,
        exclude: read(&wish.exclude, "#/exclude")?,
        on_conflict: wish.on_conflict,
        verify: wish.verify,
        state: wish.state,
    })
}
