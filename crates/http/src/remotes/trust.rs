use axum::extract::State;
use bailee_api::{Remote, TrustHostKey};
use bailee_core::Core;
use bailee_model::RemoteId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Pin a remote's host key
#[utoipa::path(post, path = "/remotes/{remote_id}/trust", operation_id = "remotes.trust", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    request_body = TrustHostKey,
    responses((status = 200, description = "The remote with its pinned key", body = Remote)))]
pub(crate) async fn trust(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
    Json(wish): Json<TrustHostKey>,
) -> Answer {
    let remote = core.remotes().trust(&caller, id, wish.fingerprint).await?;
    found(&remote)
}
