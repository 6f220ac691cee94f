use axum::extract::State;
use axum::response::Response;
use bailee_api::{Alert, AlertList};
use bailee_core::{AlertFilter, Core};
use bailee_model::AlertRuleId;
use serde::Deserialize;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging, Query, one_of};

/// Where an alert can be in its life.
const STATES: [&str; 4] = ["firing", "acknowledged", "snoozed", "resolved"];
/// How bad one can be.
const SEVERITIES: [&str; 3] = ["info", "warning", "critical"];

/// Which alerts.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only in this state: `firing`, `acknowledged`, `snoozed` or `resolved`.
    state: Option<String>,
    /// Only of this rule.
    #[param(value_type = Option<String>)]
    alert_rule_id: Option<AlertRuleId>,
    /// Only this bad: `info`, `warning` or `critical`.
    severity: Option<String>,
}

/// List alerts, newest first
#[utoipa::path(get, path = "/alerts", operation_id = "alerts.list", tag = "alerts",
    params(ListQuery, PageQuery),
    responses((status = 200, description = "A page of alerts", body = AlertList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ListQuery>,
    paging: Paging,
) -> Answer<Response> {
    let filter = AlertFilter {
        state: one_of("state", query.state, &STATES)?,
        rule: query.alert_rule_id,
        severity: one_of("severity", query.severity, &SEVERITIES)?,
    };
    let alerts = core.alerts();
    let page = alerts.list(&caller, filter, paging.request.clone()).await?;
    Ok(paging.answer(page, |alert| Alert::from(&alert)))
}
