use axum::extract::State;
use bailee_api::RemoteHealth;
use bailee_core::Core;
use bailee_model::RemoteId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read how a remote fares
///
/// As its transfers and its watch found it: nothing is tried now; `remotes.test` does that.
#[utoipa::path(get, path = "/remotes/{remote_id}/health", operation_id = "remotes.health", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    responses((status = 200, description = "How it fares", body = RemoteHealth)))]
pub(crate) async fn health(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
) -> Answer<Body<RemoteHealth>> {
    let (remote, health) = core.remotes().health(&caller, id).await?;
    Ok(Body(RemoteHealth::of(remote.id, &health)))
}
