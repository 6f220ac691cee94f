use axum::response::Response;
use bailee_api::{SecretText, Webhook, WebhookFilters, WebhookLimits};
use bailee_core::EventBounds;
use bailee_model::{self as model, Error};

use crate::answer::{Body, tagged};
use crate::extract::folder_path_or_none;

/// A webhook as clients see it; `secret` only where it is shown once.
pub(super) fn view(webhook: &model::Webhook, secret: Option<&str>) -> Webhook {
    Webhook {
        secret: secret.map(SecretText::from),
        ..Webhook::from(webhook)
    }
}

/// 200 with a webhook and its ETag.
pub(super) fn found(webhook: &model::Webhook, secret: Option<&str>) -> Response {
    tagged(&webhook.revision.to_string(), Body(view(webhook, secret)))
}

/// Which events a client wants.
pub(super) fn bounds(filters: WebhookFilters) -> Result<EventBounds, Error> {
    Ok(EventBounds {
        path_prefix: folder_path_or_none(filters.path_prefix.as_deref())?,
        remote: filters.remote,
        tag: filters.tag,
    })
}

/// How hard a client lets its receiver be pressed.
pub(super) fn limits(limits: WebhookLimits) -> model::WebhookLimits {
    model::WebhookLimits {
        per_second: limits.per_second,
        concurrency: limits.concurrency,
    }
}
