use axum::extract::State;
use bailee_api::Tenant;
use bailee_core::Core;
use bailee_model::TenantId;

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Stop every credential of a tenant
#[utoipa::path(post, path = "/tenants/{tenant_id}/suspend", operation_id = "tenants.suspend", tag = "tenants",
    params(("tenant_id" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant as it is now", body = Tenant)))]
pub(crate) async fn suspend(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TenantId>,
) -> Answer<Object<Tenant>> {
    let tenant = core.tenants().suspend(&caller, id).await?;
    Ok(Object(view(&tenant, None)))
}
