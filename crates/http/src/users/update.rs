use axum::extract::State;
use bailee_api::{ChangePrincipal, User};
use bailee_core::{Core, PrincipalChange};
use bailee_model::{PrincipalId, UserId};

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Rename a user, change its roles, disable or enable it
#[utoipa::path(patch, path = "/users/{user_id}", operation_id = "users.update", tag = "users",
    params(("user_id" = String, Path, description = "The user")),
    request_body = ChangePrincipal,
    responses((status = 200, description = "The user as it is now", body = User)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<UserId>,
    Json(wish): Json<ChangePrincipal>,
) -> Answer<Object<User>> {
    let change = PrincipalChange {
        name: wish.name,
        roles: wish.roles,
        state: wish.state,
    };
    let principal = core
        .principals()
        .update(&caller, PrincipalId::User(id), change)
        .await?;
    Ok(Object(view(&principal)?))
}
