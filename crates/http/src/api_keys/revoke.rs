use axum::extract::State;
use bailee_core::Core;
use bailee_model::KeyId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Revoke an API key for good
#[utoipa::path(delete, path = "/api-keys/{key_id}", operation_id = "api_keys.revoke", tag = "api-keys",
    params(("key_id" = String, Path, description = "The key")),
    responses((status = 204, description = "It is refused from now on")))]
pub(crate) async fn revoke(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<KeyId>,
) -> Answer<NoContent> {
    core.keys().revoke(&caller, id).await?;
    Ok(NoContent)
}
