use axum::extract::State;
use axum::response::Response;
use bailee_api::{Channel, CreateChannel};
use bailee_core::{Core, NewChannel};
use bailee_model::{ChannelState, Error};

use super::form::{filter, name};
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::{Json, folder_path};

/// Make a channel
///
/// Files that arrive in its folder from now on are handed on to its subscribers.
#[utoipa::path(post, path = "/channels", operation_id = "channels.create", tag = "channels",
    request_body = CreateChannel,
    responses((status = 201, description = "The channel", body = Channel)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateChannel>,
) -> Answer<Response> {
    let channel = core.channels().create(&caller, command(&wish)?).await?;
    let body = Channel::from(&channel);
    let location = body.links.own.clone();
    Ok(tagged(
        &channel.revision.to_string(),
        Created { location, body },
    ))
}

fn command(wish: &CreateChannel) -> Result<NewChannel, Error> {
    Ok(NewChannel {
        name: name(&wish.name)?,
        folder: folder_path(&wish.folder)?,
        filter: filter(&wish.include, &wish.exclude)?,
        state: wish.state.unwrap_or(ChannelState::Active),
    })
}
