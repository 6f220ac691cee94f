use axum::extract::State;
use axum::response::Response;
use bailee_api::{FlowRunEntry, FlowRunEntryList};
use bailee_core::Core;
use bailee_model::{FlowRunId, SealedEntry};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, PageQuery, Paging};

/// Read the log of a run, newest first
#[utoipa::path(get, path = "/flow-runs/{run_id}/journal", operation_id = "flow_runs.journal", tag = "flow-runs",
    params(("run_id" = String, Path, description = "The run"), PageQuery),
    responses((status = 200, description = "Entries of the journal about the run", body = FlowRunEntryList)))]
pub(crate) async fn journal(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowRunId>,
    paging: Paging,
) -> Answer<Response> {
    let page = paging.request.clone();
    let page = core.flows().journal(&caller, id, page).await?;
    Ok(paging.answer(page, view))
}

fn view(sealed: SealedEntry) -> FlowRunEntry {
    let entry = sealed.entry;
    FlowRunEntry {
        sequence: sealed.sequence,
        timestamp: entry.timestamp,
        operation: entry.operation,
        status: entry.status.as_str().to_owned(),
        user: entry.user,
        data: serde_json::from_str(&entry.data).unwrap_or_default(),
    }
}
