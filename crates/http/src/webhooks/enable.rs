use axum::extract::State;
use bailee_api::Webhook;
use bailee_core::Core;
use bailee_model::WebhookId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Send events again after the webhook was disabled
#[utoipa::path(post, path = "/webhooks/{webhook_id}/enable", operation_id = "webhooks.enable", tag = "webhooks",
    params(("webhook_id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook as it is now", body = Webhook)))]
pub(crate) async fn enable(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<WebhookId>,
) -> Answer {
    let webhook = core.webhooks().enable(&caller, id).await?;
    Ok(found(&webhook, None))
}
