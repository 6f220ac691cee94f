//! Channels: folders whose files are handed on to all who subscribed.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod files;
mod form;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod replay;
pub(crate) mod subscribe;
pub(crate) mod subscriber;
pub(crate) mod subscribers;
pub(crate) mod unsubscribe;
pub(crate) mod update;
pub(crate) mod update_subscriber;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(subscribe::subscribe, subscribers::subscribers))
        .routes(routes!(
            subscriber::subscriber,
            update_subscriber::update_subscriber,
            unsubscribe::unsubscribe
        ))
        .routes(routes!(replay::replay))
        .routes(routes!(files::files))
}
