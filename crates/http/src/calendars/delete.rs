use axum::extract::State;
use bailee_core::Core;
use bailee_model::CalendarId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove a calendar
///
/// One that a schedule follows is kept: 409 `in_use`.
#[utoipa::path(delete, path = "/calendars/{calendar_id}", operation_id = "calendars.delete", tag = "calendars",
    params(("calendar_id" = String, Path, description = "The calendar")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<CalendarId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.calendars().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
