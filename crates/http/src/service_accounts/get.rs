use axum::extract::State;
use bailee_api::ServiceAccount;
use bailee_core::Core;
use bailee_model::{PrincipalId, ServiceAccountId};

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a service account
#[utoipa::path(get, path = "/service-accounts/{service_account_id}", operation_id = "service_accounts.get", tag = "service-accounts",
    params(("service_account_id" = String, Path, description = "The service account")),
    responses((status = 200, description = "The service account", body = ServiceAccount)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ServiceAccountId>,
) -> Answer<Object<ServiceAccount>> {
    let principal = core
        .principals()
        .get(&caller, PrincipalId::ServiceAccount(id))
        .await?;
    Ok(Object(view(&principal)?))
}
