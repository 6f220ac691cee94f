//! Schedules: what happens by itself, and when.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod form;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod next;
pub(crate) mod pause;
pub(crate) mod replace;
pub(crate) mod resume;
pub(crate) mod runs;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, replace::replace, delete::delete))
        .routes(routes!(next::next))
        .routes(routes!(runs::runs))
        .routes(routes!(pause::pause))
        .routes(routes!(resume::resume))
}
