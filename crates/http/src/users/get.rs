use axum::extract::State;
use bailee_api::User;
use bailee_core::Core;
use bailee_model::{PrincipalId, UserId};

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a user
#[utoipa::path(get, path = "/users/{user_id}", operation_id = "users.get", tag = "users",
    params(("user_id" = String, Path, description = "The user")),
    responses((status = 200, description = "The user", body = User)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<UserId>,
) -> Answer<Object<User>> {
    let principal = core
        .principals()
        .get(&caller, PrincipalId::User(id))
        .await?;
    Ok(Object(view(&principal)?))
}
