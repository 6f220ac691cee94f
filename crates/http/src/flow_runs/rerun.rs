use axum::extract::State;
use bailee_api::{FlowRun, RerunFlow};
use bailee_core::{Core, Rerun};
use bailee_model::FlowRunId;

use super::accepted;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// Run an ended run again
///
/// Whole, by the flow's newest document; or with `from_failed` from the first step that did not end well, by the document
/// of the old run, or with `newest` by the newest one as well.
#[utoipa::path(post, path = "/flow-runs/{run_id}/rerun", operation_id = "flow_runs.rerun", tag = "flow-runs",
    params(("run_id" = String, Path, description = "The run")),
    request_body = Option<RerunFlow>,
    responses((status = 202, description = "The new run", body = FlowRun)))]
pub(crate) async fn rerun(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowRunId>,
    JsonOrEmpty(wish): JsonOrEmpty<RerunFlow>,
) -> Answer<Accepted<FlowRun>> {
    let how = match (wish.from_failed, wish.newest) {
        (true, false) => Rerun::FromFailed,
        (true, true) => Rerun::FromFailedByNewest,
        (false, _) => Rerun::Whole,
    };
    let run = core.flows().rerun(&caller, id, how).await?;
    Ok(accepted(&run))
}
