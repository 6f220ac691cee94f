use axum::extract::State;
use axum::response::Response;
use bailee_api::{CreateSchedule, Schedule};
use bailee_core::Core;

use super::form::command;
use super::view::view;
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Make a schedule
///
/// Its runs have the rights that the caller and its key have when they start.
#[utoipa::path(post, path = "/schedules", operation_id = "schedules.create", tag = "schedules",
    request_body = CreateSchedule,
    responses((status = 201, description = "The schedule", body = Schedule)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateSchedule>,
) -> Answer<Response> {
    let schedule = core.schedules().create(&caller, command(wish)?).await?;
    let body = view(&schedule)?;
    let location = body.links.own.clone();
    let created = Created { location, body };
    Ok(tagged(&schedule.revision.to_string(), created))
}
