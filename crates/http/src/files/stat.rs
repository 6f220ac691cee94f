use axum::extract::State;
use bailee_api::File;
use bailee_core::{Core, FileRef};
use bailee_model::FileId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;
use crate::files::found;

/// Read a file's metadata
#[utoipa::path(get, path = "/files/{file_id}", operation_id = "files.stat", tag = "files",
    params(("file_id" = String, Path, description = "The file version")),
    responses((status = 200, description = "The file", body = File)))]
pub(crate) async fn stat(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
) -> Answer {
    let file = core.files().stat(&caller, FileRef::Id(id)).await?;
    Ok(found(&file))
}
