use bailee_api::{Links, Tenant, TenantAdministrator};
use bailee_model as model;

/// A tenant as the operator sees it; its administrator only in the answer to create.
pub(super) fn view(tenant: &model::Tenant, administrator: Option<TenantAdministrator>) -> Tenant {
    Tenant {
        tenant_id: tenant.id,
        name: tenant.name.clone(),
        state: tenant.state.into(),
        quota_bytes: tenant.quota_bytes,
        quota_files: tenant.quota_files,
        administrator,
        created_at: tenant.created_at,
        links: Links::to("tenants", tenant.id),
    }
}
