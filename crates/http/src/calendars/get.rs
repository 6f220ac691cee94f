use axum::extract::State;
use bailee_api::Calendar;
use bailee_core::Core;
use bailee_model::CalendarId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a calendar
#[utoipa::path(get, path = "/calendars/{calendar_id}", operation_id = "calendars.get", tag = "calendars",
    params(("calendar_id" = String, Path, description = "The calendar")),
    responses((status = 200, description = "The calendar", body = Calendar)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<CalendarId>,
) -> Answer {
    let calendar = core.calendars().get(&caller, id).await?;
    found(&calendar)
}
