use axum::extract::State;
use bailee_api::{CreatePrincipal, User};
use bailee_core::{Core, NewPrincipal};
use bailee_model::PrincipalKind;

use super::view::view;
use crate::answer::{Answer, Created};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Make a user
///
/// It has no credential until it gets a key.
#[utoipa::path(post, path = "/users", operation_id = "users.create", tag = "users",
    request_body = CreatePrincipal,
    responses((status = 201, description = "The user", body = User)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreatePrincipal>,
) -> Answer<Created<User>> {
    let new = NewPrincipal {
        kind: PrincipalKind::User,
        name: wish.name,
        roles: wish.roles,
    };
    let principal = core.principals().create(&caller, new).await?;
    let body = view(&principal)?;
    Ok(Created {
        location: body.links.own.clone(),
        body,
    })
}
