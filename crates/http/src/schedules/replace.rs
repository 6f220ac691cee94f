use axum::extract::State;
use bailee_api::{CreateSchedule, Schedule};
use bailee_core::Core;
use bailee_model::ScheduleId;

use super::form::command;
use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Replace a schedule
///
/// Its runs have the rights of whoever replaced it last. One that is paused stays so.
#[utoipa::path(put, path = "/schedules/{schedule_id}", operation_id = "schedules.replace", tag = "schedules",
    params(("schedule_id" = String, Path, description = "The schedule")),
    request_body = CreateSchedule,
    responses((status = 200, description = "The schedule as it is now", body = Schedule)))]
pub(crate) async fn replace(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ScheduleId>,
    Guard(guard): Guard,
    Json(wish): Json<CreateSchedule>,
) -> Answer {
    let new = command(wish)?;
    let schedule = core.schedules().replace(&caller, id, new, guard).await?;
    found(&schedule)
}
