use axum::extract::State;
use bailee_api::{CompleteUpload, File};
use bailee_core::Core;
use bailee_model::UploadId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};
use crate::files::created;

/// Join the parts to a file
///
/// Repeating it gives the same answer. When a part is missing or the digest differs, the session stays open.
#[utoipa::path(post, path = "/uploads/{session_id}/complete", operation_id = "uploads.complete", tag = "uploads",
    params(("session_id" = String, Path, description = "The session")),
    request_body = Option<CompleteUpload>,
    responses((status = 201, description = "The file", body = File)))]
pub(crate) async fn complete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<UploadId>,
    JsonOrEmpty(wish): JsonOrEmpty<CompleteUpload>,
) -> Answer {
    let placed = core.uploads().complete(&caller, id, wish.hash).await?;
    Ok(created(&placed.file))
}
