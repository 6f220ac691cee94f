use axum::extract::State;
use bailee_api::{RemoteTest, RemoteTestStep};
use bailee_core::{Core, ProbeStep};
use bailee_model::RemoteId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Test a remote step by step, up to the first failure
#[utoipa::path(post, path = "/remotes/{remote_id}/test", operation_id = "remotes.test", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    responses((status = 200, description = "What was tried", body = RemoteTest)))]
pub(crate) async fn test(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
) -> Answer<Body<RemoteTest>> {
    let report = core.remotes().test(&caller, id).await?;
    Ok(Body(RemoteTest {
        ok: report.steps.iter().all(|step| step.ok),
        steps: report.steps.into_iter().map(step).collect(),
        host_key: report.seen_host_key,
        tested_at: core.clock().now(),
    }))
}

fn step(step: ProbeStep) -> RemoteTestStep {
    RemoteTestStep {
        name: step.name.to_owned(),
        ok: step.ok,
        duration_seconds: step.duration_ms as f64 / 1000.0,
        detail: Some(step.detail).filter(|detail| !detail.is_empty()),
        error_code: step.error_code.map(str::to_owned),
        hint: step.fix,
    }
}
