use axum::extract::State;
use bailee_api::{RecoverWebhook, Webhook};
use bailee_core::Core;
use bailee_model::WebhookId;

use super::view::view;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Hand over the events of a time that did not arrive
///
/// What arrived, or waits, is not sent again: asking twice does no harm. `recovery` says how far it is.
#[utoipa::path(post, path = "/webhooks/{webhook_id}/recover", operation_id = "webhooks.recover", tag = "webhooks",
    params(("webhook_id" = String, Path, description = "The webhook")),
    request_body = RecoverWebhook,
    responses((status = 202, description = "The webhook, whose `recovery` has begun", body = Webhook)))]
pub(crate) async fn recover(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<WebhookId>,
    Json(wish): Json<RecoverWebhook>,
) -> Answer<Accepted<Webhook>> {
    let span = (wish.since, wish.until);
    let webhook = core.webhooks().recover(&caller, id, span).await?;
    let body = view(&webhook, None);
    Ok(Accepted {
        location: body.links.own.clone(),
        body,
    })
}
