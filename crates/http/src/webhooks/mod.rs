//! Webhooks: receivers of events.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod enable;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod recover;
pub(crate) mod rotate_secret;
pub(crate) mod stats;
pub(crate) mod test;
pub(crate) mod update;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(test::test))
        .routes(routes!(enable::enable))
        .routes(routes!(rotate_secret::rotate_secret))
        .routes(routes!(recover::recover))
        .routes(routes!(stats::stats))
}
