use axum::extract::State;
use axum::response::Response;
use bailee_api::AlertRuleList;
use bailee_core::Core;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List alert rules, newest first
#[utoipa::path(get, path = "/alert-rules", operation_id = "alert_rules.list", tag = "alert-rules", params(PageQuery),
    responses((status = 200, description = "A page of alert rules", body = AlertRuleList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let rules = core.alert_rules();
    let page = rules.list(&caller, paging.request.clone()).await?;
    Ok(paging.answer(page, |rule| view(&rule)))
}
