use axum::extract::State;
use axum::response::Response;
use bailee_api::PgpKeyList;
use bailee_core::Core;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List OpenPGP keys, newest first
#[utoipa::path(get, path = "/pgp-keys", operation_id = "pgp_keys.list", tag = "pgp-keys", params(PageQuery),
    responses((status = 200, description = "A page of keys", body = PgpKeyList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core
        .pgp_keys()
        .list(&caller, paging.request.clone())
        .await?;
    let now = core.clock().now();
    Ok(paging.answer(page, |key| view(&key, now)))
}
