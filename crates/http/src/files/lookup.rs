use axum::extract::State;
use bailee_api::File;
use bailee_core::{Core, FileRef};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PathQuery, Query, file_path};
use crate::files::found;

/// Find the file at a path
#[utoipa::path(get, path = "/files/lookup", operation_id = "files.lookup", tag = "files", params(PathQuery),
    responses((status = 200, description = "The file that the path points at", body = File)))]
pub(crate) async fn lookup(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<PathQuery>,
) -> Answer {
    let path = FileRef::Path(file_path(&query.path)?);
    let file = core.files().stat(&caller, path).await?;
    Ok(found(&file))
}
