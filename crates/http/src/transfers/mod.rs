//! Transfers: bytes from here to there.

pub(crate) mod cancel;
pub(crate) mod create;
pub(crate) mod files;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod pause;
pub(crate) mod receipt;
pub(crate) mod resume;
pub(crate) mod retry;
pub(crate) mod status;
pub(crate) mod update;
mod view;

use bailee_model as model;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Accepted;
use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, update::update))
        .routes(routes!(files::files))
        .routes(routes!(status::status))
        .routes(routes!(receipt::receipt))
        .routes(routes!(cancel::cancel))
        .routes(routes!(pause::pause))
        .routes(routes!(resume::resume))
        .routes(routes!(retry::retry))
}

/// 202 with the transfer.
fn accepted(transfer: &model::Transfer) -> Accepted<bailee_api::Transfer> {
    let body = view::view(transfer);
    Accepted {
        location: body.links.own.clone(),
        body,
    }
}
