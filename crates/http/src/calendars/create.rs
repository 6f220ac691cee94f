use axum::extract::State;
use axum::response::Response;
use bailee_api::{Calendar, CreateCalendar};
use bailee_core::Core;

use super::form::command;
use super::view::view;
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Make a calendar
///
/// Schedules that follow it run on its business days, or not on its holidays.
#[utoipa::path(post, path = "/calendars", operation_id = "calendars.create", tag = "calendars",
    request_body = CreateCalendar,
    responses((status = 201, description = "The calendar", body = Calendar)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateCalendar>,
) -> Answer<Response> {
    let calendar = core.calendars().create(&caller, command(wish)?).await?;
    let body = view(&calendar)?;
    let location = body.links.own.clone();
    let created = Created { location, body };
    Ok(tagged(&calendar.revision.to_string(), created))
}
