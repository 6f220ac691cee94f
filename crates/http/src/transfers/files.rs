use axum::extract::State;
use axum::response::Response;
use bailee_api::{TransferFile, TransferFileList};
use bailee_core::Core;
use bailee_model::TransferId;
use serde::Deserialize;

use super::list::STATES;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, PageQuery, Paging, Query, one_of};

/// Which files.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilesQuery {
    /// Only in this state: `queued`, `running`, `paused`, `completed` or `failed`.
    state: Option<String>,
}

/// List the files of a transfer with what became of each
///
/// In the order in which they were found. A transfer of one file has one.
#[utoipa::path(get, path = "/transfers/{transfer_id}/files", operation_id = "transfers.files", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The transfer"), FilesQuery, PageQuery),
    responses((status = 200, description = "A page of files", body = TransferFileList)))]
pub(crate) async fn files(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
    Query(query): Query<FilesQuery>,
    paging: Paging,
) -> Answer<Response> {
    let state = one_of("state", query.state, &STATES)?;
    let page = core
        .transfers()
        .files(&caller, id, state.as_deref(), paging.request.clone())
        .await?;
    Ok(paging.answer(page, |file| TransferFile::from(&file)))
}
