use axum::extract::State;
use axum::response::Response;
use bailee_api::{ScheduleRun, ScheduleRunList};
use bailee_core::Core;
use bailee_model::ScheduleId;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, PageQuery, Paging};

/// List past times of a schedule and what came of them, newest first
#[utoipa::path(get, path = "/schedules/{schedule_id}/runs", operation_id = "schedules.runs", tag = "schedules",
    params(("schedule_id" = String, Path, description = "The schedule"), PageQuery),
    responses((status = 200, description = "A page of past times", body = ScheduleRunList)))]
pub(crate) async fn runs(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ScheduleId>,
    paging: Paging,
) -> Answer<Response> {
    let schedules = core.schedules();
    let page = schedules.runs(&caller, id, paging.request.clone()).await?;
    Ok(paging.answer(page, |run| ScheduleRun::from(&run)))
}
