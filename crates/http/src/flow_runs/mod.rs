//! Runs of flows.

pub(crate) mod approve;
pub(crate) mod cancel;
pub(crate) mod get;
pub(crate) mod journal;
pub(crate) mod list;
pub(crate) mod reject;
pub(crate) mod rerun;

use bailee_api::FlowRun;
use bailee_model as model;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Accepted;
use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(get::get))
        .routes(routes!(journal::journal))
        .routes(routes!(cancel::cancel))
        .routes(routes!(rerun::rerun))
        .routes(routes!(approve::approve))
        .routes(routes!(reject::reject))
}

/// 202 with a run.
fn accepted(run: &model::FlowRun) -> Accepted<FlowRun> {
    let body = FlowRun::from(run);
    Accepted {
        location: body.links.own.clone(),
        body,
    }
}
