use axum::extract::State;
use bailee_api::{ChangeWebhook, Patch, Webhook};
use bailee_core::{Core, EventBounds, WebhookChange};
use bailee_model::{Error, WebhookId, WebhookLimits};

use super::view::{bounds, found, limits};
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Change a webhook
#[utoipa::path(patch, path = "/webhooks/{webhook_id}", operation_id = "webhooks.update", tag = "webhooks",
    params(("webhook_id" = String, Path, description = "The webhook")),
    request_body = ChangeWebhook,
    responses((status = 200, description = "The webhook as it is now", body = Webhook)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<WebhookId>,
    Guard(guard): Guard,
    Json(wish): Json<ChangeWebhook>,
) -> Answer {
    let webhook = core
        .webhooks()
        .update(&caller, id, change(wish)?, guard)
        .await?;
    Ok(found(&webhook, None))
}

fn change(wish: ChangeWebhook) -> Result<WebhookChange, Error> {
    Ok(WebhookChange {
        url: wish.url,
        types: wish.types,
        filters: match wish.filters {
            Patch::Keep => None,
            Patch::Clear => Some(EventBounds::default()),
            Patch::Set(filters) => Some(bounds(filters)?),
        },
        payload: wish.payload,
        format: wish.format,
        ordering: wish.ordering,
        body_hmac: wish.body_hmac,
        ed25519: wish.ed25519,
        limits: match wish.limits {
            Patch::Keep => None,
            Patch::Clear => Some(WebhookLimits::default()),
            Patch::Set(wanted) => Some(limits(wanted)),
        },
        enabled: None,
    })
}
