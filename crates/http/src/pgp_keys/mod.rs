//! OpenPGP keys: partners' public keys and the tenant's own.

pub(crate) mod delete;
pub(crate) mod export;
mod form;
pub(crate) mod generate;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod refresh;
pub(crate) mod update;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(import::import, list::list))
        .routes(routes!(generate::generate))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(export::export))
        .routes(routes!(refresh::refresh))
}
