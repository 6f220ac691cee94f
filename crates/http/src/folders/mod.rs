//! Folders: places for files, named by path.

pub(crate) mod children;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod stat;
pub(crate) mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(
            create::create,
            stat::stat,
            update::update,
            delete::delete
        ))
        .routes(routes!(children::children))
}
