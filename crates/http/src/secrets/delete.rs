use axum::extract::State;
use bailee_core::Core;
use bailee_model::SecretId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove a secret that no remote refers to
#[utoipa::path(delete, path = "/secrets/{secret_id}", operation_id = "secrets.delete", tag = "secrets",
    params(("secret_id" = String, Path, description = "The secret")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<SecretId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.secrets().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
