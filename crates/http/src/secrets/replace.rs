use axum::extract::State;
use bailee_api::{CreateSecret, Secret};
use bailee_core::Core;
use bailee_model::SecretId;

use super::form::parse;
use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Put another value or reference in the place of a secret's
///
/// Remotes that refer to it use the new one with their next connection.
#[utoipa::path(put, path = "/secrets/{secret_id}", operation_id = "secrets.replace", tag = "secrets",
    params(("secret_id" = String, Path, description = "The secret")),
    request_body = CreateSecret,
    responses((status = 200, description = "The secret, without its value", body = Secret)))]
pub(crate) async fn replace(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<SecretId>,
    Guard(guard): Guard,
    Json(wish): Json<CreateSecret>,
) -> Answer {
    let secret = core
        .secrets()
        .replace(&caller, id, parse(wish)?, guard)
        .await?;
    found(&secret)
}
