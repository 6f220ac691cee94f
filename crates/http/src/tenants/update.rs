use axum::extract::State;
use bailee_api::{ChangeTenant, Patch, Tenant};
use bailee_core::{Core, TenantChange};
use bailee_model::TenantId;

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Change a tenant's name and quotas
#[utoipa::path(patch, path = "/tenants/{tenant_id}", operation_id = "tenants.update", tag = "tenants",
    params(("tenant_id" = String, Path, description = "The tenant")),
    request_body = ChangeTenant,
    responses((status = 200, description = "The tenant as it is now", body = Tenant)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TenantId>,
    Json(wish): Json<ChangeTenant>,
) -> Answer<Object<Tenant>> {
    let change = TenantChange {
        name: wish.name,
        quota_bytes: bound(&wish.quota_bytes),
        quota_files: bound(&wish.quota_files),
    };
    let tenant = core.tenants().update(&caller, id, change).await?;
    Ok(Object(view(&tenant, None)))
}

fn bound(wish: &Patch<u64>) -> Option<Option<u64>> {
    match wish {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(bound) => Some(Some(*bound)),
    }
}
