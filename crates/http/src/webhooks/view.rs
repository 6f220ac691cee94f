use axum::response::Response;
use bailee_api::{
    Links, SecretText, Webhook, WebhookFilters, WebhookFormat, WebhookOrdering, WebhookPayload,
};
use bailee_model as model;

use crate::answer::{Body, tagged};

/// A webhook as clients see it; `secret` only where it is shown once.
pub(super) fn view(webhook: &model::Webhook, secret: Option<&str>) -> Webhook {
    Webhook {
        webhook_id: webhook.id,
        url: webhook.url.clone(),
        types: webhook.types.clone(),
        filters: WebhookFilters {
            path_prefix: webhook.path_prefix.as_ref().map(ToString::to_string),
        },
        payload: WebhookPayload::Thin,
        format: WebhookFormat::Bailee,
        ordering: WebhookOrdering::None,
        body_hmac: webhook.body_hmac,
        state: webhook.state.into(),
        disabled_reason: webhook.disabled_reason.clone(),
        secret: secret.map(SecretText::from),
        created_at: webhook.created_at,
        links: Links::to("webhooks", webhook.id),
    }
}

/// 200 with a webhook and its ETag.
pub(super) fn found(webhook: &model::Webhook, secret: Option<&str>) -> Response {
    tagged(&webhook.revision.to_string(), Body(view(webhook, secret)))
}
