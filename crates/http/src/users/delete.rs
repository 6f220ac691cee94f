use axum::extract::State;
use bailee_core::Core;
use bailee_model::{PrincipalId, UserId};

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Remove a user
#[utoipa::path(delete, path = "/users/{user_id}", operation_id = "users.delete", tag = "users",
    params(("user_id" = String, Path, description = "The user")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<UserId>,
) -> Answer<NoContent> {
    core.principals()
        .delete(&caller, PrincipalId::User(id))
        .await?;
    Ok(NoContent)
}
