use axum::extract::State;
use bailee_core::{Core, FileRef};
use bailee_model::FileId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::download::{DownloadRequest, respond};
use crate::extract::Id;

/// Read the head of a download: size, type, ETag, digest
#[utoipa::path(head, path = "/files/{file_id}/download", operation_id = "files.download_head", tag = "files",
    params(("file_id" = String, Path, description = "The file version")),
    responses(
        (status = 200, description = "What a download would begin with"),
        (status = 304, description = "The client has these bytes")))]
pub(crate) async fn download_head(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
    request: DownloadRequest,
) -> Answer {
    let open = core.files().open(&caller, FileRef::Id(id)).await?;
    respond(open, &request).await
}
