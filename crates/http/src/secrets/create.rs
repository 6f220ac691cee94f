use axum::extract::State;
use axum::response::Response;
use bailee_api::{CreateSecret, Secret};
use bailee_core::Core;

use super::form::parse;
use super::view::view;
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Keep a secret, or a reference to one
///
/// Write-only. Nothing is connected to; a reference is resolved when a remote that uses it is opened.
#[utoipa::path(post, path = "/secrets", operation_id = "secrets.create", tag = "secrets",
    request_body = CreateSecret,
    responses((status = 201, description = "The secret, without its value", body = Secret)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateSecret>,
) -> Answer<Response> {
    let secret = core.secrets().create(&caller, parse(wish)?).await?;
    let body = view(&secret)?;
    let location = body.links.own.clone();
    Ok(tagged(
        &secret.revision.to_string(),
        Created { location, body },
    ))
}
