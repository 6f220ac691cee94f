use axum::extract::State;
use bailee_api::Schedule;
use bailee_core::Core;
use bailee_model::ScheduleId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a schedule
#[utoipa::path(get, path = "/schedules/{schedule_id}", operation_id = "schedules.get", tag = "schedules",
    params(("schedule_id" = String, Path, description = "The schedule")),
    responses((status = 200, description = "The schedule", body = Schedule)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ScheduleId>,
) -> Answer {
    let schedule = core.schedules().get(&caller, id).await?;
    found(&schedule)
}
