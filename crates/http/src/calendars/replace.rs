use axum::extract::State;
use bailee_api::{Calendar, CreateCalendar};
use bailee_core::Core;
use bailee_model::CalendarId;

use super::form::command;
use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Replace a calendar
///
/// Schedules that follow it get their new times at once.
#[utoipa::path(put, path = "/calendars/{calendar_id}", operation_id = "calendars.replace", tag = "calendars",
    params(("calendar_id" = String, Path, description = "The calendar")),
    request_body = CreateCalendar,
    responses((status = 200, description = "The calendar as it is now", body = Calendar)))]
pub(crate) async fn replace(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<CalendarId>,
    Guard(guard): Guard,
    Json(wish): Json<CreateCalendar>,
) -> Answer {
    let new = command(wish)?;
    let calendar = core.calendars().replace(&caller, id, new, guard).await?;
    found(&calendar)
}
