use axum::extract::State;
use bailee_core::{Core, FileRef, Purge};
use bailee_model::FileId;
use serde::Deserialize;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Query};

/// How thoroughly.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteQuery {
    /// Whether the version's data_key is destroyed at once, instead of resting in the trash.
    purge: Option<bool>,
}

/// Delete a file version
#[utoipa::path(delete, path = "/files/{file_id}", operation_id = "files.delete", tag = "files",
    params(("file_id" = String, Path, description = "The file version"), DeleteQuery),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
    Query(query): Query<DeleteQuery>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    let purge = if query.purge.unwrap_or(false) {
        Purge::Yes
    } else {
        Purge::No
    };
    core.files()
        .delete(&caller, FileRef::Id(id), purge, guard)
        .await?;
    Ok(NoContent)
}
