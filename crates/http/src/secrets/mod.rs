//! Secrets that remotes refer to.

pub(crate) mod create;
pub(crate) mod delete;
mod form;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod replace;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, replace::replace, delete::delete))
}
