use axum::extract::State;
use bailee_api::{File, RestoreFile};
use bailee_core::{self as core, Core};
use bailee_model::FileId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty, file_path};
use crate::files::created;

/// Make a version current again, from the trash or from before
#[utoipa::path(post, path = "/files/{file_id}/restore", operation_id = "files.restore", tag = "files",
    params(("file_id" = String, Path, description = "The file version to restore")),
    request_body = Option<RestoreFile>,
    responses((status = 201, description = "The restored file under a new file_id", body = File)))]
pub(crate) async fn restore(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
    JsonOrEmpty(wish): JsonOrEmpty<RestoreFile>,
) -> Answer {
    let restore = core::RestoreFile {
        path: wish.path.as_deref().map(file_path).transpose()?,
        overwrite: wish.overwrite,
    };
    let placed = core.files().restore(&caller, id, restore).await?;
    Ok(created(&placed.file))
}
