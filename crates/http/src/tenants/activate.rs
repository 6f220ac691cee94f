use axum::extract::State;
use bailee_api::Tenant;
use bailee_core::Core;
use bailee_model::TenantId;

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Let a suspended tenant's credentials work again
#[utoipa::path(post, path = "/tenants/{tenant_id}/activate", operation_id = "tenants.activate", tag = "tenants",
    params(("tenant_id" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant as it is now", body = Tenant)))]
pub(crate) async fn activate(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TenantId>,
) -> Answer<Object<Tenant>> {
    let tenant = core.tenants().activate(&caller, id).await?;
    Ok(Object(view(&tenant, None)))
}
