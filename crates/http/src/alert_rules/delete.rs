use axum::extract::State;
use bailee_core::Core;
use bailee_model::AlertRuleId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove an alert rule
///
/// Alerts of it that are open are resolved.
#[utoipa::path(delete, path = "/alert-rules/{alert_rule_id}", operation_id = "alert_rules.delete", tag = "alert-rules",
    params(("alert_rule_id" = String, Path, description = "The alert rule")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AlertRuleId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.alert_rules().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
