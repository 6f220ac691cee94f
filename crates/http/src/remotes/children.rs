use axum::extract::State;
use axum::response::Response;
use bailee_api::{RemoteChild, RemoteChildList, RemoteChildType};
use bailee_core::Core;
use bailee_model::RemoteId;
use serde::Deserialize;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, PageQuery, Paging, Query};

/// `?path=`
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FolderQuery {
    /// The folder at the remote; where it begins when absent.
    #[param(example = "/in")]
    path: Option<String>,
}

/// Look into a folder of a remote, by name
///
/// The remote is asked anew for each page. At most 10,000 entries of a folder are ever listed; `is_cut` says that there
/// are more.
#[utoipa::path(get, path = "/remotes/{remote_id}/children", operation_id = "remotes.children", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote"), FolderQuery, PageQuery),
    responses((status = 200, description = "A page of what is in the folder", body = RemoteChildList)))]
pub(crate) async fn children(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
    Query(query): Query<FolderQuery>,
    paging: Paging,
) -> Answer<Response> {
    let path = query.path.unwrap_or_default();
    let remotes = core.remotes();
    let (page, folder) = remotes
        .children(&caller, id, &path, &paging.request)
        .await?;
    Ok(paging.answer_as(page.map(view), |list| RemoteChildList {
        data: list.data,
        has_more: list.has_more,
        next_cursor: list.next_cursor,
        is_cut: folder.is_cut,
        unnameable: folder.unnameable,
    }))
}

fn view(child: bailee_core::RemoteChild) -> RemoteChild {
    RemoteChild {
        child_type: RemoteChildType::from(child.kind),
        name: child.name,
        path: child.path,
        size: child.size_bytes,
        modified_at: child.modified_at,
    }
}
