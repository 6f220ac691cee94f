use axum::extract::State;
use bailee_api::Schedule;
use bailee_core::Core;
use bailee_model::ScheduleId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Hold a schedule
///
/// Its times pass without a run.
#[utoipa::path(post, path = "/schedules/{schedule_id}/pause", operation_id = "schedules.pause", tag = "schedules",
    params(("schedule_id" = String, Path, description = "The schedule")),
    responses((status = 200, description = "The schedule as it is now", body = Schedule)))]
pub(crate) async fn pause(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ScheduleId>,
) -> Answer {
    let schedule = core.schedules().pause(&caller, id).await?;
    found(&schedule)
}
