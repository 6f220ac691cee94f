use bailee_api::{Links, ServiceAccount};
use bailee_model::{Error, Principal, PrincipalId};

/// A program as clients see it. A principal of the other kind is none of these.
pub(super) fn view(principal: &Principal) -> Result<ServiceAccount, Error> {
    let PrincipalId::ServiceAccount(id) = principal.id else {
        return Err(Error::not_found("service account"));
    };
    Ok(ServiceAccount {
        service_account_id: id,
        name: principal.name.clone(),
        roles: principal.roles.iter().map(|role| (*role).into()).collect(),
        state: principal.state.into(),
        created_at: principal.created_at,
        links: Links::to("service-accounts", id),
    })
}
