use axum::extract::State;
use bailee_api::Remote;
use bailee_core::Core;
use bailee_model::RemoteId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a remote
#[utoipa::path(get, path = "/remotes/{remote_id}", operation_id = "remotes.get", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    responses((status = 200, description = "The remote", body = Remote)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
) -> Answer {
    let remote = core.remotes().get(&caller, id).await?;
    found(&remote)
}
