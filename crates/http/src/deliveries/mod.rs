//! Deliveries: tries to hand one event to one webhook.

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod redeliver;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(get::get))
        .routes(routes!(redeliver::redeliver))
}
