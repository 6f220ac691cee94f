use axum::extract::State;
use bailee_core::Core;
use bailee_model::RemoteId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove a remote
#[utoipa::path(delete, path = "/remotes/{remote_id}", operation_id = "remotes.delete", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.remotes().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
