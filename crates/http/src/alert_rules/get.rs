use axum::extract::State;
use bailee_api::AlertRule;
use bailee_core::Core;
use bailee_model::AlertRuleId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read an alert rule
#[utoipa::path(get, path = "/alert-rules/{alert_rule_id}", operation_id = "alert_rules.get", tag = "alert-rules",
    params(("alert_rule_id" = String, Path, description = "The alert rule")),
    responses((status = 200, description = "The alert rule", body = AlertRule)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AlertRuleId>,
) -> Answer {
    let rule = core.alert_rules().get(&caller, id).await?;
    Ok(found(&rule))
}
