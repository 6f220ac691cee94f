use axum::extract::State;
use bailee_core::Core;
use bailee_model::ChannelId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove a channel with its subscribers
///
/// Transfers that are on their way go on; what waits does not.
#[utoipa::path(delete, path = "/channels/{channel_id}", operation_id = "channels.delete", tag = "channels",
    params(("channel_id" = String, Path, description = "The channel")),
    responses((status = 204, description = "It hands nothing on any more")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ChannelId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.channels().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
