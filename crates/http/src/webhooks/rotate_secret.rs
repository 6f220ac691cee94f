use std::time::Duration;

use axum::extract::State;
use bailee_api::{RotateWebhookSecret, Webhook};
use bailee_core::Core;
use bailee_model::WebhookId;
use secrecy::ExposeSecret as _;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// Make a new secret; the old one signs beside it for a while
#[utoipa::path(post, path = "/webhooks/{webhook_id}/rotate-secret", operation_id = "webhooks.rotate_secret",
    tag = "webhooks",
    params(("webhook_id" = String, Path, description = "The webhook")),
    request_body = Option<RotateWebhookSecret>,
    responses((status = 200, description = "The webhook with its new secret", body = Webhook)))]
pub(crate) async fn rotate_secret(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<WebhookId>,
    JsonOrEmpty(wish): JsonOrEmpty<RotateWebhookSecret>,
) -> Answer {
    let grace = wish.grace_seconds.map(Duration::from_secs);
    let (webhook, secret) = core.webhooks().rotate(&caller, id, grace).await?;
    Ok(found(&webhook, Some(secret.expose_secret())))
}
