use axum::extract::State;
use bailee_api::{File, FileList};
use bailee_core::Core;
use bailee_model::FileId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// List the versions at a file's path, newest first
#[utoipa::path(get, path = "/files/{file_id}/versions", operation_id = "files.versions", tag = "files",
    params(("file_id" = String, Path, description = "Any version")),
    responses((status = 200, description = "All versions", body = FileList)))]
pub(crate) async fn versions(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
) -> Answer<Body<FileList>> {
    let versions = core.files().versions(&caller, id).await?;
    let data = versions.iter().map(File::from).collect();
    Ok(Body(FileList::new(data, None)))
}
