use axum::extract::State;
use bailee_api::{ChangePrincipal, ServiceAccount};
use bailee_core::{Core, PrincipalChange};
use bailee_model::{PrincipalId, ServiceAccountId};

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Rename a service account, change its roles, disable or enable it
#[utoipa::path(patch, path = "/service-accounts/{service_account_id}", operation_id = "service_accounts.update", tag = "service-accounts",
    params(("service_account_id" = String, Path, description = "The service account")),
    request_body = ChangePrincipal,
    responses((status = 200, description = "The service account as it is now", body = ServiceAccount)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ServiceAccountId>,
    Json(wish): Json<ChangePrincipal>,
) -> Answer<Object<ServiceAccount>> {
    let change = PrincipalChange {
        name: wish.name,
        roles: wish.roles,
        state: wish.state,
    };
    let principal = core
        .principals()
        .update(&caller, PrincipalId::ServiceAccount(id), change)
        .await?;
    Ok(Object(view(&principal)?))
}
