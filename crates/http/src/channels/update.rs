use axum::extract::State;
use bailee_api::{ChangeChannel, Channel};
use bailee_core::{ChannelChange, Core};
use bailee_model::{ChannelId, Error};

use super::form::{found, globs, name};
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json, folder_path_or_none};

/// Change, pause or resume a channel
///
/// A JSON Merge Patch. While `state` is `paused`, what arrives waits.
#[utoipa::path(patch, path = "/channels/{channel_id}", operation_id = "channels.update", tag = "channels",
    params(("channel_id" = String, Path, description = "The channel")),
    request_body = ChangeChannel,
    responses((status = 200, description = "The channel as it is now", body = Channel)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ChannelId>,
    Guard(guard): Guard,
    Json(wish): Json<ChangeChannel>,
) -> Answer {
    let channel = core
        .channels()
        .update(&caller, id, change(&wish)?, guard)
        .await?;
    Ok(found(&channel))
}

fn change(wish: &ChangeChannel) -> Result<ChannelChange, Error> {
    let read = |texts: &Option<Vec<String>>, pointer: &str| {
        let globs = texts.as_ref().map(|texts| globs(texts, pointer));
        globs.transpose()
    };
    Ok(ChannelChange {
        name: wish.name.as_deref().map(name).transpose()?,
        folder: folder_path_or_none(wish.folder.as_deref())?,
        include: read(&wish.include, "#/include")?,
        exclude: read(&wish.exclude, "#/exclude")?,
        state: wish.state,
    })
}
