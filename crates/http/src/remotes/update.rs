use axum::extract::State;
use bailee_api::{ChangeRemote, Remote};
use bailee_core::Core;
use bailee_model::RemoteId;

use super::form::change;
use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Change a remote
///
/// A JSON Merge Patch. A field of another kind is refused. A new host or port forgets the pinned host key, unless a new
/// one is given. Another host, URL, account, proxy or certificate authority needs the credential again. A secret that
/// signs in replaces the one before, whatever its sort.
#[utoipa::path(patch, path = "/remotes/{remote_id}", operation_id = "remotes.update", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    request_body = ChangeRemote,
    responses((status = 200, description = "The remote as it is now", body = Remote)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
    Guard(guard): Guard,
    Json(wish): Json<ChangeRemote>,
) -> Answer {
    let change = |remote: &_| change(&wish, remote);
    let remote = core.remotes().update(&caller, id, change, guard).await?;
    found(&remote)
}
