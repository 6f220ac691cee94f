//! Alerts: what needs attention.

pub(crate) mod acknowledge;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod resolve;
pub(crate) mod snooze;

use axum::response::Response;
use bailee_api::Alert;
use bailee_model as model;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Body, tagged};
use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(get::get))
        .routes(routes!(acknowledge::acknowledge))
        .routes(routes!(snooze::snooze))
        .routes(routes!(resolve::resolve))
}

/// 200 with an alert and its ETag.
fn found(alert: &model::Alert) -> Response {
    tagged(&alert.revision.to_string(), Body(Alert::from(alert)))
}
