use axum::extract::State;
use axum::response::Response;
use bailee_api::{Delivery, DeliveryList};
use bailee_core::{Core, DeliveryFilter};
use bailee_model::{EventId, WebhookId};
use serde::Deserialize;

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging, Query, one_of};

/// Where a delivery can be in its life.
const STATES: [&str; 5] = ["scheduled", "running", "succeeded", "failed", "abandoned"];

/// Which deliveries.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only to this webhook.
    #[param(value_type = Option<String>)]
    webhook_id: Option<WebhookId>,
    /// Only of this event.
    #[param(value_type = Option<String>)]
    event_id: Option<EventId>,
    /// Only in this state: `scheduled`, `running`, `succeeded`, `failed` or `abandoned`.
    state: Option<String>,
}

/// List deliveries, newest first
#[utoipa::path(get, path = "/deliveries", operation_id = "deliveries.list", tag = "deliveries",
    params(ListQuery, PageQuery),
    responses((status = 200, description = "A page of deliveries", body = DeliveryList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ListQuery>,
    paging: Paging,
) -> Answer<Response> {
    let filter = DeliveryFilter {
        webhook: query.webhook_id,
        state: one_of("state", query.state, &STATES)?,
        event: query.event_id,
    };
    let page = core
        .deliveries()
        .list(&caller, filter, paging.request.clone())
        .await?;
    Ok(paging.answer(page, |delivery| Delivery::from(&delivery)))
}
