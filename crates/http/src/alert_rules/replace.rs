use axum::extract::State;
use bailee_api::{AlertRule, CreateAlertRule};
use bailee_core::Core;
use bailee_model::AlertRuleId;

use super::form::command;
use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Replace an alert rule
///
/// If it watches something else then, it begins anew. Alerts that are open stay; a rule keeps its kind.
#[utoipa::path(put, path = "/alert-rules/{alert_rule_id}", operation_id = "alert_rules.replace", tag = "alert-rules",
    params(("alert_rule_id" = String, Path, description = "The alert rule")),
    request_body = CreateAlertRule,
    responses((status = 200, description = "The alert rule as it is now", body = AlertRule)))]
pub(crate) async fn replace(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AlertRuleId>,
    Guard(guard): Guard,
    Json(wish): Json<CreateAlertRule>,
) -> Answer {
    let new = command(wish)?;
    let rule = core.alert_rules().replace(&caller, id, new, guard).await?;
    Ok(found(&rule))
}
