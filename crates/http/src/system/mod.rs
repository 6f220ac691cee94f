//! The installation.

pub(crate) mod info;

use bailee_core::Caller;
use bailee_model::{Error, ErrorKind, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new().routes(routes!(info::info))
}

/// Refuses everybody but the operator of the installation.
pub(crate) fn for_the_operator(caller: &Caller) -> Result<(), Error> {
    if caller.scopes().hold(Scope::System) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InsufficientScope,
        "This needs the scope `system`.",
    ))
}
