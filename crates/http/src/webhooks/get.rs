use axum::extract::State;
use bailee_api::Webhook;
use bailee_core::Core;
use bailee_model::WebhookId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a webhook
#[utoipa::path(get, path = "/webhooks/{webhook_id}", operation_id = "webhooks.get", tag = "webhooks",
    params(("webhook_id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = Webhook)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<WebhookId>,
) -> Answer {
    let webhook = core.webhooks().get(&caller, id).await?;
    Ok(found(&webhook, None))
}
