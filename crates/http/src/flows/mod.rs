//! Flows: documents that say what happens to files, when, and in whose name.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod hook;
pub(crate) mod list;
pub(crate) mod replace;
pub(crate) mod rotate_secret;
pub(crate) mod run;
pub(crate) mod update;
pub(crate) mod versions;
pub(crate) mod watches;

use axum::response::Response;
use bailee_model as model;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Body, tagged};
use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(
            get::get,
            replace::replace,
            update::update,
            delete::delete
        ))
        .routes(routes!(versions::versions))
        .routes(routes!(watches::watches))
        .routes(routes!(rotate_secret::rotate_secret))
        .routes(routes!(hook::hook))
        .routes(routes!(run::run))
}

/// 200 with a flow and its ETag.
fn found(flow: &model::Flow) -> Response {
    tagged(
        &flow.revision.to_string(),
        Body(bailee_api::Flow::from(flow)),
    )
}
