use axum::extract::State;
use bailee_api::{AuthMethod, Identity};
use bailee_core::Core;
use bailee_model::{PrincipalId, PrincipalKind};

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;

/// Who am I, and is this credential good?
///
/// 401 for a credential that is missing, wrong, expired or revoked; 403 for a genuine one that is stopped.
#[utoipa::path(get, path = "/auth/validate", operation_id = "auth.validate", tag = "auth",
    responses((status = 200, description = "The credential is good", body = Identity)))]
pub(crate) async fn validate(
    State(core): State<Core>,
    caller: Authenticated,
) -> Answer<Body<Identity>> {
    let known = core.whoami(&caller).await?;
    let kind = match caller.principal() {
        PrincipalId::User(_) => PrincipalKind::User,
        PrincipalId::ServiceAccount(_) => PrincipalKind::ServiceAccount,
    };
    Ok(Body(Identity {
        valid: true,
        principal_id: caller.principal(),
        principal_type: kind.into(),
        tenant_id: caller.tenant(),
        auth_method: AuthMethod::ApiKey,
        scopes: caller.scopes().clone(),
        key_id: known.as_ref().map(|known| known.key),
        expires_at: known.and_then(|known| known.expires_at),
    }))
}
