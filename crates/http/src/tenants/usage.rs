use axum::extract::State;
use bailee_api::TenantUsage;
use bailee_core::Core;
use bailee_model::TenantId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read what a tenant stores
#[utoipa::path(get, path = "/tenants/{tenant_id}/usage", operation_id = "tenants.usage", tag = "tenants",
    params(("tenant_id" = String, Path, description = "The tenant")),
    responses((status = 200, description = "Its figures", body = TenantUsage)))]
pub(crate) async fn usage(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TenantId>,
) -> Answer<Body<TenantUsage>> {
    let (tenant, usage) = core.tenants().usage(&caller, id).await?;
    Ok(Body(TenantUsage {
        tenant_id: tenant.id,
        bytes_used: usage.bytes,
        files_used: usage.files,
        quota_bytes: tenant.quota_bytes,
        quota_files: tenant.quota_files,
    }))
}
