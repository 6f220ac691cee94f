use axum::extract::State;
use bailee_core::{Core, Recursive};
use serde::Deserialize;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Query, folder_path};

/// Which folder, and how.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteQuery {
    /// The folder's path.
    #[param(example = "/reports")]
    path: String,
    /// Whether it is removed with everything in it.
    recursive: Option<bool>,
}

/// Remove a folder
#[utoipa::path(delete, path = "/folders", operation_id = "folders.delete", tag = "folders", params(DeleteQuery),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<DeleteQuery>,
) -> Answer<NoContent> {
    let recursive = if query.recursive.unwrap_or(false) {
        Recursive::Yes
    } else {
        Recursive::No
    };
    core.folders()
        .delete(&caller, folder_path(&query.path)?, recursive)
        .await?;
    Ok(NoContent)
}
