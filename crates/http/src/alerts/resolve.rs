use axum::extract::State;
use bailee_api::{Alert, NoteAlert};
use bailee_core::Core;
use bailee_model::AlertId;

use super::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// End an alert
///
/// While its cause lasts, no other one is raised for it.
#[utoipa::path(post, path = "/alerts/{alert_id}/resolve", operation_id = "alerts.resolve", tag = "alerts",
    params(("alert_id" = String, Path, description = "The alert")),
    request_body = NoteAlert,
    responses((status = 200, description = "The alert as it is now", body = Alert)))]
pub(crate) async fn resolve(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AlertId>,
    JsonOrEmpty(wish): JsonOrEmpty<NoteAlert>,
) -> Answer {
    let alert = core.alerts().resolve(&caller, id, wish.note).await?;
    Ok(found(&alert))
}
