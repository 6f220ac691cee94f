use std::time::Duration;

use axum::extract::State;
use bailee_api::{ApiKey, RotateApiKey};
use bailee_core::Core;
use bailee_model::KeyId;

use super::view::view;
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// Give an API key a new secret
///
/// Its end moves only if the caller may manage identities. The text is shown in this answer only.
#[utoipa::path(post, path = "/api-keys/{key_id}/rotate", operation_id = "api_keys.rotate", tag = "api-keys",
    params(("key_id" = String, Path, description = "The key")),
    request_body = Option<RotateApiKey>,
    responses((status = 200, description = "The key with its new text", body = ApiKey)))]
pub(crate) async fn rotate(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<KeyId>,
    JsonOrEmpty(wish): JsonOrEmpty<RotateApiKey>,
) -> Answer<Body<ApiKey>> {
    let grace = Duration::from_secs(wish.grace_seconds.unwrap_or(0));
    let ((key, used), text) = core.keys().rotate(&caller, id, grace).await?;
    Ok(Body(view((&key, used), Some(&text), core.clock().now())))
}
