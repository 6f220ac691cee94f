use axum::extract::State;
use axum::response::Response;
use bailee_api::{File, FileList};
use bailee_core::{Core, FileQuery};
use bailee_model::{Error, ErrorKind};
use serde::Deserialize;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging, Query, folder_path_or_none, time};

/// Which files.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only in this folder and below.
    path_prefix: Option<String>,
    /// `available` (what is there) or `deleted` (the trash).
    state: Option<String>,
    /// Only with this tag.
    tag: Option<String>,
    /// Only made at or after this time.
    created_after: Option<String>,
    /// Only made before this time.
    created_before: Option<String>,
    /// Only with this text in the name.
    q: Option<String>,
}

/// List and search files
#[utoipa::path(get, path = "/files", operation_id = "files.list", tag = "files", params(ListQuery, PageQuery),
    responses((status = 200, description = "A page of files, newest first", body = FileList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ListQuery>,
    paging: Paging,
) -> Answer<Response> {
    let query = FileQuery {
        below: folder_path_or_none(query.path_prefix.as_deref())?,
        deleted: is_trash(query.state.as_deref())?,
        tag: query.tag,
        created_after: time("created_after", query.created_after.as_deref())?,
        created_before: time("created_before", query.created_before.as_deref())?,
        name_contains: query.q,
    };
    let page = core
        .files()
        .list(&caller, query, paging.request.clone())
        .await?;
    Ok(paging.answer(page, |file| File::from(&file)))
}

fn is_trash(state: Option<&str>) -> Result<bool, Error> {
    match state {
        None | Some("available") => Ok(false),
        Some("deleted") => Ok(true),
        Some(_) => {
            let detail = "`state` is `available` or `deleted`.";
            Err(Error::new(ErrorKind::InvalidParameter, detail)
                .with_field("#/state", "unknown", detail))
        }
    }
}
