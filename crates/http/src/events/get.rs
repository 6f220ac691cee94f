use axum::extract::State;
use bailee_api::Event;
use bailee_core::{Core, event_body};
use bailee_model::EventId;
use serde_json::Value;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read an event
#[utoipa::path(get, path = "/events/{event_id}", operation_id = "events.get", tag = "events",
    params(("event_id" = String, Path, description = "The event")),
    responses((status = 200, description = "The event", body = Event)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<EventId>,
) -> Answer<Body<Value>> {
    let event = core.events().get(&caller, id).await?;
    Ok(Body(event_body(caller.tenant(), &event)))
}
