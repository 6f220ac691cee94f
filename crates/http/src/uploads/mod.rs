//! Uploads by parts.

pub(crate) mod abort;
pub(crate) mod complete;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod put_part;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, abort::abort))
        .routes(routes!(put_part::put_part))
        .routes(routes!(complete::complete))
}
