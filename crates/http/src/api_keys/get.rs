use axum::extract::State;
use bailee_api::ApiKey;
use bailee_core::Core;
use bailee_model::KeyId;

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read an API key
#[utoipa::path(get, path = "/api-keys/{key_id}", operation_id = "api_keys.get", tag = "api-keys",
    params(("key_id" = String, Path, description = "The key")),
    responses((status = 200, description = "The key without its text", body = ApiKey)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<KeyId>,
) -> Answer<Object<ApiKey>> {
    let (key, used) = core.keys().get(&caller, id).await?;
    Ok(Object(view((&key, used), None, core.clock().now())))
}
