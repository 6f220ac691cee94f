use axum::extract::State;
use bailee_core::{Core, FileRef, Purge};

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, PathQuery, Query, file_path};

/// Delete the file at a path
#[utoipa::path(delete, path = "/files/content", operation_id = "files.delete_content", tag = "files", params(PathQuery),
    responses((status = 204, description = "The path is vacant")))]
pub(crate) async fn delete_content(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<PathQuery>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    let path = FileRef::Path(file_path(&query.path)?);
    core.files().delete(&caller, path, Purge::No, guard).await?;
    Ok(NoContent)
}
