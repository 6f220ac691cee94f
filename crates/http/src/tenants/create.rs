use axum::extract::State;
use bailee_api::{CreateTenant, SecretText, Tenant, TenantAdministrator};
use bailee_core::{Core, NewTenant};

use super::view::view;
use crate::answer::{Answer, Created};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Make a tenant with its first administrator
///
/// The administrator's key is shown in this answer only; a repetition with the same `Idempotency-Key` is answered with
/// the problem `idempotency_secret_shown`, which names the tenant.
#[utoipa::path(post, path = "/tenants", operation_id = "tenants.create", tag = "tenants",
    request_body = CreateTenant,
    responses((status = 201, description = "The tenant with its administrator", body = Tenant)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateTenant>,
) -> Answer<Created<Tenant>> {
    let new = NewTenant {
        name: wish.name,
        quota_bytes: wish.quota_bytes,
        quota_files: wish.quota_files,
    };
    let first = core.tenants().create(&caller, new).await?;
    let administrator = TenantAdministrator {
        principal_id: first.administrator.id,
        key_id: first.api_key.id,
        api_key: SecretText::from(first.key.reveal()),
        expires_at: first.api_key.expires_at,
    };
    let body = view(&first.tenant, Some(administrator));
    Ok(Created {
        location: body.links.own.clone(),
        body,
    })
}
