use axum::extract::State;
use axum::response::Response;
use bailee_api::TransferList;
use bailee_core::{Core, TransferFilter};
use bailee_model::{Error, ErrorKind, TransferId};
use serde::Deserialize;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging, Query, one_of, time};

/// The states that clients see.
pub(super) const STATES: [&str; 5] = ["queued", "running", "paused", "completed", "failed"];

/// Which transfers.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only in this state: `queued`, `running`, `paused`, `completed` or `failed`.
    state: Option<String>,
    /// Only with this label.
    label: Option<String>,
    /// The files of this transfer of many, which no other list shows.
    parent: Option<String>,
    /// Only made at or after this time.
    created_after: Option<String>,
    /// Only made before this time.
    created_before: Option<String>,
}

/// List transfers, newest first
#[utoipa::path(get, path = "/transfers", operation_id = "transfers.list", tag = "transfers",
    params(ListQuery, PageQuery),
    responses((status = 200, description = "A page of transfers", body = TransferList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ListQuery>,
    paging: Paging,
) -> Answer<Response> {
    let filter = TransferFilter {
        state: one_of("state", query.state, &STATES)?,
        label: query.label,
        created_after: time("created_after", query.created_after.as_deref())?,
        created_before: time("created_before", query.created_before.as_deref())?,
        parent: parent(query.parent.as_deref())?,
    };
    let page = core
        .transfers()
        .list(&caller, filter, paging.request.clone())
        .await?;
    Ok(paging.answer(page, |transfer| view(&transfer)))
}

fn parent(text: Option<&str>) -> Result<Option<TransferId>, Error> {
    let id = text.map(str::parse).transpose();
    id.map_err(|_| {
        Error::new(
            ErrorKind::InvalidParameter,
            "`parent` is the id of a transfer.",
        )
    })
}
