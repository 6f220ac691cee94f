use axum::extract::State;
use bailee_core::Core;
use bailee_model::WebhookId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove a webhook
#[utoipa::path(delete, path = "/webhooks/{webhook_id}", operation_id = "webhooks.delete", tag = "webhooks",
    params(("webhook_id" = String, Path, description = "The webhook")),
    responses((status = 204, description = "It gets no more events")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<WebhookId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.webhooks().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
