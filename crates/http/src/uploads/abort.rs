use axum::extract::State;
use bailee_core::Core;
use bailee_model::UploadId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Give an upload up
#[utoipa::path(delete, path = "/uploads/{session_id}", operation_id = "uploads.abort", tag = "uploads",
    params(("session_id" = String, Path, description = "The session")),
    responses((status = 204, description = "Nothing of it is left")))]
pub(crate) async fn abort(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<UploadId>,
) -> Answer<NoContent> {
    core.uploads().abort(&caller, id).await?;
    Ok(NoContent)
}
