use axum::extract::State;
use bailee_core::{Core, FileRef};
use bailee_model::FileId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::download::{DownloadRequest, respond};
use crate::extract::Id;

/// Read a file's bytes
///
/// Ranges, several at once too, and conditions are honoured (RFC 9110). Errors to a request with `Range` have an empty
/// body and name their code in `Bailee-Problem`.
#[utoipa::path(get, path = "/files/{file_id}/download", operation_id = "files.download", tag = "files",
    params(("file_id" = String, Path, description = "The file version")),
    responses(
        (status = 200, description = "All bytes", content_type = "*/*"),
        (status = 206, description = "The bytes of the range", content_type = "*/*"),
        (status = 304, description = "The client has these bytes")))]
pub(crate) async fn download(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
    request: DownloadRequest,
) -> Answer {
    let open = core.files().open(&caller, FileRef::Id(id)).await?;
    respond(open, &request).await
}
