use axum::extract::State;
use bailee_api::RemoteHealth;
use bailee_core::Core;
use bailee_model::RemoteId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Let transfers go to a remote again at once
///
/// For a remote whose circuit is open: those that wait for it try now, instead of at `waits_until`.
#[utoipa::path(post, path = "/remotes/{remote_id}/reset-circuit", operation_id = "remotes.reset_circuit",
    tag = "remotes", params(("remote_id" = String, Path, description = "The remote")),
    responses((status = 200, description = "How it fares", body = RemoteHealth)))]
pub(crate) async fn reset_circuit(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
) -> Answer<Body<RemoteHealth>> {
    let (remote, health) = core.remotes().reset_circuit(&caller, id).await?;
    Ok(Body(RemoteHealth::of(remote.id, &health)))
}
