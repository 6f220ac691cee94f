use axum::extract::State;
use bailee_api::Tenant;
use bailee_core::Core;
use bailee_model::TenantId;

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a tenant
#[utoipa::path(get, path = "/tenants/{tenant_id}", operation_id = "tenants.get", tag = "tenants",
    params(("tenant_id" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant", body = Tenant)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TenantId>,
) -> Answer<Object<Tenant>> {
    let tenant = core.tenants().get(&caller, id).await?;
    Ok(Object(view(&tenant, None)))
}
