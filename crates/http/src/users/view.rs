use bailee_api::{Links, User};
use bailee_model::{Error, Principal, PrincipalId};

/// A person as clients see it. A principal of the other kind is none of these.
pub(super) fn view(principal: &Principal) -> Result<User, Error> {
    let PrincipalId::User(id) = principal.id else {
        return Err(Error::not_found("user"));
    };
    Ok(User {
        user_id: id,
        name: principal.name.clone(),
        roles: principal.roles.iter().map(|role| (*role).into()).collect(),
        state: principal.state.into(),
        created_at: principal.created_at,
        links: Links::to("users", id),
    })
}
