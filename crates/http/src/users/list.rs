use axum::extract::State;
use axum::response::Response;
use bailee_api::{User, UserList};
use bailee_core::Core;
use bailee_model::{Page, PrincipalKind};

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List users, newest first
#[utoipa::path(get, path = "/users", operation_id = "users.list", tag = "users", params(PageQuery),
    responses((status = 200, description = "A page of users", body = UserList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let kind = PrincipalKind::User;
    let page = core
        .principals()
        .list(&caller, kind, paging.request.clone())
        .await?;
    let data: Vec<User> = page.data.iter().map(view).collect::<Result<_, _>>()?;
    Ok(paging.answer(
        Page {
            data,
            next: page.next,
        },
        |seen| seen,
    ))
}
