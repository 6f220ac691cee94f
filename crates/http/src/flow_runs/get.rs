use axum::extract::State;
use bailee_api::{FlowRun, FlowStep};
use bailee_core::Core;
use bailee_model::FlowRunId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a run with its steps
#[utoipa::path(get, path = "/flow-runs/{run_id}", operation_id = "flow_runs.get", tag = "flow-runs",
    params(("run_id" = String, Path, description = "The run")),
    responses((status = 200, description = "The run", body = FlowRun)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowRunId>,
) -> Answer<Body<FlowRun>> {
    let found = core.flows().run(&caller, id).await?;
    Ok(Body(FlowRun {
        steps: Some(found.steps.iter().map(FlowStep::from).collect()),
        ..FlowRun::from(&found.run)
    }))
}
