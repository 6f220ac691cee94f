use axum::extract::State;
use bailee_api::Schedule;
use bailee_core::Core;
use bailee_model::ScheduleId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Let a schedule go on
///
/// Times that passed meanwhile are not made up for.
#[utoipa::path(post, path = "/schedules/{schedule_id}/resume", operation_id = "schedules.resume", tag = "schedules",
    params(("schedule_id" = String, Path, description = "The schedule")),
    responses((status = 200, description = "The schedule as it is now", body = Schedule)))]
pub(crate) async fn resume(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ScheduleId>,
) -> Answer {
    let schedule = core.schedules().resume(&caller, id).await?;
    found(&schedule)
}
