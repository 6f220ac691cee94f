use axum::extract::State;
use bailee_api::{DecideFlow, FlowRun};
use bailee_core::{Core, Verdict};
use bailee_model::FlowRunId;

use super::accepted;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// Approve what a run asks
///
/// A second person decides: not who started the run, or for a run that a trigger started, not the flow's owner.
#[utoipa::path(post, path = "/flow-runs/{run_id}/approve", operation_id = "flow_runs.approve", tag = "flow-runs",
    params(("run_id" = String, Path, description = "The run")),
    request_body = Option<DecideFlow>,
    responses((status = 202, description = "The run, which goes on", body = FlowRun)))]
pub(crate) async fn approve(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowRunId>,
    JsonOrEmpty(wish): JsonOrEmpty<DecideFlow>,
) -> Answer<Accepted<FlowRun>> {
    let verdict = Verdict {
        is_approved: true,
        step: wish.step,
        note: wish.note,
    };
    let run = core.flows().decide(&caller, id, verdict).await?;
    Ok(accepted(&run))
}
