use axum::extract::State;
use axum::response::Response;
use bailee_api::{FolderEntry, FolderEntryList};
use bailee_core::{Child, Core};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging, PathQuery, Query, folder_path};

/// List what a folder holds: folders, then files, by name
#[utoipa::path(get, path = "/folders/children", operation_id = "folders.children", tag = "folders",
    params(PathQuery, PageQuery),
    responses((status = 200, description = "A page of folders and files", body = FolderEntryList)))]
pub(crate) async fn children(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<PathQuery>,
    paging: Paging,
) -> Answer<Response> {
    let path = folder_path(&query.path)?;
    let page = core
        .folders()
        .children(&caller, path, paging.request.clone())
        .await?;
    Ok(paging.answer(page, |child| match child {
        Child::Folder(folder) => FolderEntry::Folder((&folder).into()),
        Child::File(file) => FolderEntry::File(Box::new((&*file).into())),
    }))
}
