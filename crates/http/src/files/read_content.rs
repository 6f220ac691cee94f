use axum::extract::State;
use bailee_core::{Core, FileRef};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::download::{DownloadRequest, respond};
use crate::extract::{PathQuery, Query, file_path};

/// Read the bytes at a path
///
/// As `files.download`, for whatever the path points at now.
#[utoipa::path(get, path = "/files/content", operation_id = "files.read_content", tag = "files", params(PathQuery),
    responses(
        (status = 200, description = "All bytes", content_type = "*/*"),
        (status = 206, description = "The bytes of the range", content_type = "*/*"),
        (status = 304, description = "The client has these bytes")))]
pub(crate) async fn read_content(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<PathQuery>,
    request: DownloadRequest,
) -> Answer {
    let path = FileRef::Path(file_path(&query.path)?);
    let open = core.files().open(&caller, path).await?;
    respond(open, &request).await
}
