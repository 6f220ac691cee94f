use axum::extract::State;
use bailee_core::Core;
use bailee_model::ScheduleId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove a schedule
///
/// What it started goes on.
#[utoipa::path(delete, path = "/schedules/{schedule_id}", operation_id = "schedules.delete", tag = "schedules",
    params(("schedule_id" = String, Path, description = "The schedule")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ScheduleId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.schedules().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
