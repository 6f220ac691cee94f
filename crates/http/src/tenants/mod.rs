//! Tenants, for the operator of the installation.

pub(crate) mod activate;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod suspend;
pub(crate) mod update;
pub(crate) mod usage;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, update::update))
        .routes(routes!(suspend::suspend))
        .routes(routes!(activate::activate))
        .routes(routes!(usage::usage))
}
