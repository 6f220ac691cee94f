use axum::extract::State;
use bailee_api::{Alert, NoteAlert};
use bailee_core::Core;
use bailee_model::AlertId;

use super::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// Take an alert
///
/// It does not escalate any more.
#[utoipa::path(post, path = "/alerts/{alert_id}/acknowledge", operation_id = "alerts.acknowledge", tag = "alerts",
    params(("alert_id" = String, Path, description = "The alert")),
    request_body = NoteAlert,
    responses((status = 200, description = "The alert as it is now", body = Alert)))]
pub(crate) async fn acknowledge(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AlertId>,
    JsonOrEmpty(wish): JsonOrEmpty<NoteAlert>,
) -> Answer {
    let alert = core.alerts().acknowledge(&caller, id, wish.note).await?;
    Ok(found(&alert))
}
