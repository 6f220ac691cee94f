use axum::extract::State;
use bailee_core::Core;
use bailee_model::{ChannelId, SubscriberId};

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove a subscriber
///
/// Transfers that are on their way go on; what waits does not.
#[utoipa::path(delete, path = "/channels/{channel_id}/subscribers/{subscriber_id}", operation_id = "channels.unsubscribe",
    tag = "channels",
    params(
        ("channel_id" = String, Path, description = "The channel"),
        ("subscriber_id" = String, Path, description = "The subscriber")),
    responses((status = 204, description = "It gets nothing any more")))]
pub(crate) async fn unsubscribe(
    State(core): State<Core>,
    caller: Authenticated,
    Id(ids): Id<(ChannelId, SubscriberId)>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.channels().unsubscribe(&caller, ids, guard).await?;
    Ok(NoContent)
}
