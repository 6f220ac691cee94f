use axum::extract::State;
use bailee_api::{File, RestoreFile};
use bailee_core::Core;
use bailee_model::{Error, FileId};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};
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
    if wish.path.is_some() {
        let detail = "A version is restored to its own path; copy or move it afterwards.";
        return Err(Error::field("#/path", "not_supported", detail).into());
    }
    let placed = core.files().restore(&caller, id, wish.overwrite).await?;
    Ok(created(&placed.file))
}
