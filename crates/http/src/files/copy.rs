use axum::extract::State;
use bailee_api::{CopyFile, File};
use bailee_core::{self as core, Core};
use bailee_model::FileId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, Json, file_path};
use crate::files::created;

/// Copy a file
#[utoipa::path(post, path = "/files/{file_id}/copy", operation_id = "files.copy", tag = "files",
    params(("file_id" = String, Path, description = "The file version to copy")),
    request_body = CopyFile,
    responses((status = 201, description = "The copy", body = File)))]
pub(crate) async fn copy(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
    Json(wish): Json<CopyFile>,
) -> Answer {
    let copy = core::CopyFile {
        path: file_path(&wish.path)?,
        overwrite: wish.overwrite,
    };
    let placed = core.files().copy(&caller, id, copy).await?;
    Ok(created(&placed.file))
}
