//! What an administrator of the tenant may set.

pub(crate) mod read;
pub(crate) mod update;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new().routes(routes!(read::read, update::update))
}
