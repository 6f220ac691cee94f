use axum::extract::State;
use axum::response::Response;
use bailee_api::{AlertRule, CreateAlertRule};
use bailee_core::Core;

use super::form::command;
use super::view::view;
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Make an alert rule
///
/// What happened before does not count.
#[utoipa::path(post, path = "/alert-rules", operation_id = "alert_rules.create", tag = "alert-rules",
    request_body = CreateAlertRule,
    responses((status = 201, description = "The alert rule", body = AlertRule)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateAlertRule>,
) -> Answer<Response> {
    let rule = core.alert_rules().create(&caller, command(wish)?).await?;
    let body = view(&rule);
    let location = body.links.own.clone();
    let created = Created { location, body };
    Ok(tagged(&rule.revision.to_string(), created))
}
