use axum::extract::State;
use axum::response::Response;
use bailee_api::{CreateWebhook, Webhook};
use bailee_core::{Core, NewWebhook};
use bailee_model::Error;
use secrecy::ExposeSecret as _;

use super::view::view;
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::{Json, folder_path_or_none};

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
    let prefix = wish.filters.and_then(|filters| filters.path_prefix);
    Ok(NewWebhook {
        url: wish.url,
        types: wish.types,
        path_prefix: folder_path_or_none(prefix.as_deref())?,
        body_hmac: wish.body_hmac.unwrap_or(true),
    })
}
