use axum::extract::State;
use bailee_api::{ChangeFolder, Folder};
use bailee_core::Core;

use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::{Json, PathQuery, Query, folder_path};

/// Rename or move a folder with everything in it
#[utoipa::path(patch, path = "/folders", operation_id = "folders.update", tag = "folders", params(PathQuery),
    request_body = ChangeFolder,
    responses((status = 200, description = "The folder as it is now", body = Folder)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<PathQuery>,
    Json(wish): Json<ChangeFolder>,
) -> Answer<Object<Folder>> {
    let from = folder_path(&query.path)?;
    let folder = match wish.path {
        Some(to) => {
            core.folders()
                .rename(&caller, from, folder_path(&to)?)
                .await?
        }
        None => core.folders().stat(&caller, from).await?,
    };
    Ok(Object(Folder::from(&folder)))
}
