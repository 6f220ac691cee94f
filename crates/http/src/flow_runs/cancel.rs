use axum::extract::State;
use bailee_api::FlowRun;
use bailee_core::Core;
use bailee_model::FlowRunId;

use super::accepted;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Cancel a run
///
/// One that waits for its turn ends at once, one that runs before its next step. Transfers of its steps are cancelled.
#[utoipa::path(post, path = "/flow-runs/{run_id}/cancel", operation_id = "flow_runs.cancel", tag = "flow-runs",
    params(("run_id" = String, Path, description = "The run")),
    responses((status = 202, description = "It will end", body = FlowRun)))]
pub(crate) async fn cancel(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowRunId>,
) -> Answer<Accepted<FlowRun>> {
    let run = core.flows().cancel(&caller, id).await?;
    Ok(accepted(&run))
}
