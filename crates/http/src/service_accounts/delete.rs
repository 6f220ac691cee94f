use axum::extract::State;
use bailee_core::Core;
use bailee_model::{PrincipalId, ServiceAccountId};

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Remove a service account
#[utoipa::path(delete, path = "/service-accounts/{service_account_id}", operation_id = "service_accounts.delete", tag = "service-accounts",
    params(("service_account_id" = String, Path, description = "The service account")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ServiceAccountId>,
) -> Answer<NoContent> {
    core.principals()
        .delete(&caller, PrincipalId::ServiceAccount(id))
        .await?;
    Ok(NoContent)
}
