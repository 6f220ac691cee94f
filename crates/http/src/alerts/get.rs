use axum::extract::State;
use bailee_api::Alert;
use bailee_core::Core;
use bailee_model::AlertId;

use super::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read an alert
#[utoipa::path(get, path = "/alerts/{alert_id}", operation_id = "alerts.get", tag = "alerts",
    params(("alert_id" = String, Path, description = "The alert")),
    responses((status = 200, description = "The alert", body = Alert)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AlertId>,
) -> Answer {
    let alert = core.alerts().get(&caller, id).await?;
    Ok(found(&alert))
}
