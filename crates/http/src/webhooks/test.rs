use axum::extract::State;
use bailee_api::{Delivery, TestWebhook};
use bailee_core::Core;
use bailee_model::{Error, EventType, WebhookId};

use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// Send an example of an event
#[utoipa::path(post, path = "/webhooks/{webhook_id}/test", operation_id = "webhooks.test", tag = "webhooks",
    params(("webhook_id" = String, Path, description = "The webhook")),
    request_body = Option<TestWebhook>,
    responses((status = 202, description = "The delivery that was scheduled", body = Delivery)))]
pub(crate) async fn test(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<WebhookId>,
    JsonOrEmpty(wish): JsonOrEmpty<TestWebhook>,
) -> Answer<Accepted<Delivery>> {
    let kind = match wish.event_type.as_deref() {
        None => EventType::Ping,
        Some(text) => text.parse().map_err(|()| {
            Error::field(
                "#/type",
                "unknown",
                format!("`{text}` is no type of event."),
            )
        })?,
    };
    let delivery = core.webhooks().test(&caller, id, kind).await?;
    let body = Delivery::from(&delivery);
    Ok(Accepted {
        location: body.links.own.clone(),
        body,
    })
}
