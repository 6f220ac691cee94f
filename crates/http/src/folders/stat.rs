use axum::extract::State;
use bailee_api::Folder;
use bailee_core::Core;

use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::{PathQuery, Query, folder_path};

/// Read a folder
#[utoipa::path(get, path = "/folders", operation_id = "folders.stat", tag = "folders", params(PathQuery),
    responses((status = 200, description = "The folder", body = Folder)))]
pub(crate) async fn stat(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<PathQuery>,
) -> Answer<Object<Folder>> {
    let folder = core
        .folders()
        .stat(&caller, folder_path(&query.path)?)
        .await?;
    Ok(Object(Folder::from(&folder)))
}
