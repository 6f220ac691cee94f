use axum::extract::State;
use bailee_api::{CreateRemote, Remote};
use bailee_core::Core;
use bailee_model::RemoteId;

use super::form::{parse, wish};
use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Fields, Guard, Id, Json};

/// Replace a remote's configuration
///
/// What the body does not name is gone, secrets and a pinned host key too. A remote keeps its kind.
#[utoipa::path(put, path = "/remotes/{remote_id}", operation_id = "remotes.replace", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    request_body = CreateRemote,
    responses((status = 200, description = "The remote as it is now", body = Remote)))]
pub(crate) async fn replace(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
    Guard(guard): Guard,
    Json(Fields(fields)): Json<Fields>,
) -> Answer {
    let new = parse(&wish(fields)?)?;
    let remote = core.remotes().replace(&caller, id, new, guard).await?;
    found(&remote)
}
