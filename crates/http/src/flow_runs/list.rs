use axum::extract::State;
use axum::response::Response;
use bailee_api::{FlowRun, FlowRunList};
use bailee_core::{Core, RunFilter};
use bailee_model::{Error, ErrorKind, FlowId};
use serde::Deserialize;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging, Query, one_of, time};

/// The states of runs.
const STATES: [&str; 6] = [
    "queued",
    "running",
    "waiting",
    "completed",
    "failed",
    "cancelled",
];

/// Which runs.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only of this flow.
    flow_id: Option<String>,
    /// Only in this state: `queued`, `running`, `waiting`, `completed`, `failed` or `cancelled`.
    state: Option<String>,
    /// Only made at or after this time.
    created_after: Option<String>,
    /// Only made before this time.
    created_before: Option<String>,
}

/// List runs of flows, newest first
#[utoipa::path(get, path = "/flow-runs", operation_id = "flow_runs.list", tag = "flow-runs",
    params(ListQuery, PageQuery),
    responses((status = 200, description = "A page of runs", body = FlowRunList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ListQuery>,
    paging: Paging,
) -> Answer<Response> {
    let filter = RunFilter {
        flow: flow(query.flow_id.as_deref())?,
        state: one_of("state", query.state, &STATES)?,
        created_after: time("created_after", query.created_after.as_deref())?,
        created_before: time("created_before", query.created_before.as_deref())?,
    };
    let page = paging.request.clone();
    let page = core.flows().runs(&caller, filter, page).await?;
    Ok(paging.answer(page, |run| FlowRun::from(&run)))
}

fn flow(text: Option<&str>) -> Result<Option<FlowId>, Error> {
    let id = text.map(str::parse).transpose();
    id.map_err(|_| {
        Error::new(
            ErrorKind::InvalidParameter,
            "`flow_id` is the id of a flow.",
        )
    })
}
