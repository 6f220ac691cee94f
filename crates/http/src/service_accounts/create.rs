use axum::extract::State;
use bailee_api::{CreatePrincipal, ServiceAccount};
use bailee_core::{Core, NewPrincipal};
use bailee_model::PrincipalKind;

use super::view::view;
use crate::answer::{Answer, Created};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Make a service account
///
/// It has no credential until it gets a key.
#[utoipa::path(post, path = "/service-accounts", operation_id = "service_accounts.create", tag = "service-accounts",
    request_body = CreatePrincipal,
    responses((status = 201, description = "The service account", body = ServiceAccount)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreatePrincipal>,
) -> Answer<Created<ServiceAccount>> {
    let new = NewPrincipal {
        kind: PrincipalKind::ServiceAccount,
        name: wish.name,
        roles: wish.roles,
    };
    let principal = core.principals().create(&caller, new).await?;
    let body = view(&principal)?;
    Ok(Created {
        location: body.links.own.clone(),
        body,
    })
}
