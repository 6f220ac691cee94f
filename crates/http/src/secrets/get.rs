use axum::extract::State;
use bailee_api::Secret;
use bailee_core::Core;
use bailee_model::SecretId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read where a secret's value is
///
/// The value itself, and what signs in where it is, are never given out.
#[utoipa::path(get, path = "/secrets/{secret_id}", operation_id = "secrets.get", tag = "secrets",
    params(("secret_id" = String, Path, description = "The secret")),
    responses((status = 200, description = "The secret, without its value", body = Secret)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<SecretId>,
) -> Answer {
    found(&core.secrets().get(&caller, id).await?)
}
