use axum::extract::State;
use bailee_core::{Core, FileRef};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::download::{DownloadRequest, respond};
use crate::extract::{PathQuery, Query, file_path};

/// Read the head of the bytes at a path
#[utoipa::path(head, path = "/files/content", operation_id = "files.read_content_head", tag = "files", params(PathQuery),
    responses(
        (status = 200, description = "What reading would begin with"),
        (status = 304, description = "The client has these bytes")))]
pub(crate) async fn read_content_head(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<PathQuery>,
    request: DownloadRequest,
) -> Answer {
    let path = FileRef::Path(file_path(&query.path)?);
    let open = core.files().open(&caller, path).await?;
    respond(open, &request).await
}
