use axum::extract::State;
use axum::response::Response;
use bailee_api::{CreateWebhook, Webhook};
use bailee_core::{Core, NewWebhook};
use bailee_model::Error;
use secrecy::ExposeSecret as _;

use super::view::{bounds, limits, view};
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Register a receiver
///
/// The secret is shown in this answer only.
#[utoipa::path(post, path = "/webhooks", operation_id = "webhooks.create", tag = "webhooks",
    request_body = CreateWebhook,
    responses((status = 201, description = "The webhook with its secret", body = Webhook)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateWebhook>,
) -> Answer<Response> {
    let (webhook, secret) = core.webhooks().create(&caller, command(wish)?).await?;
    let body = view(&webhook, Some(secret.expose_secret()));
    let location = body.links.own.clone();
    Ok(tagged(
        &webhook.revision.to_string(),
        Created { location, body },
    ))
}

fn command(wish: CreateWebhook) -> Result<NewWebhook, Error> {
    Ok(NewWebhook {
        url: wish.url,
        types: wish.types,
        filters: bounds(wish.filters.unwrap_or_default())?,
        payload: wish.payload.unwrap_or_default(),
        format: wish.format.unwrap_or_default(),
        ordering: wish.ordering.unwrap_or_default(),
        body_hmac: wish.body_hmac.unwrap_or(true),
        ed25519: wish.ed25519.unwrap_or(false),
        limits: limits(wish.limits.unwrap_or_default()),
    })
}
