use axum::extract::State;
use axum::response::Response;
use bailee_api::{ServiceAccount, ServiceAccountList};
use bailee_core::Core;
use bailee_model::{Page, PrincipalKind};

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List service accounts, newest first
#[utoipa::path(get, path = "/service-accounts", operation_id = "service_accounts.list", tag = "service-accounts", params(PageQuery),
    responses((status = 200, description = "A page of service accounts", body = ServiceAccountList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let kind = PrincipalKind::ServiceAccount;
    let page = core
        .principals()
        .list(&caller, kind, paging.request.clone())
        .await?;
    let data: Vec<ServiceAccount> = page.data.iter().map(view).collect::<Result<_, _>>()?;
    Ok(paging.answer(
        Page {
            data,
            next: page.next,
        },
        |seen| seen,
    ))
}
