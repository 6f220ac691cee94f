//! Audit: who did what, provably.

pub(crate) mod checkpoint;
pub(crate) mod checkpoints;
pub(crate) mod consistency;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod keys;
pub(crate) mod latest_checkpoint;
pub(crate) mod proof;
pub(crate) mod search;
pub(crate) mod verify;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(search::search))
        .routes(routes!(get::get))
        .routes(routes!(proof::proof))
        .routes(routes!(consistency::consistency))
        .routes(routes!(export::export))
        .routes(routes!(verify::verify))
        .routes(routes!(checkpoints::checkpoints))
        .routes(routes!(latest_checkpoint::latest_checkpoint))
        .routes(routes!(checkpoint::checkpoint))
        .routes(routes!(keys::keys))
}
