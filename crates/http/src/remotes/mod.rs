//! Remotes: far systems with address, credential and limits.

pub(crate) mod children;
pub(crate) mod create;
pub(crate) mod delete;
mod form;
pub(crate) mod get;
pub(crate) mod health;
pub(crate) mod list;
pub(crate) mod new_ssh_key;
pub(crate) mod replace;
pub(crate) mod reset_circuit;
pub(crate) mod test;
pub(crate) mod trust;
pub(crate) mod update;
pub(crate) mod used_by;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
        .routes(routes!(test::test))
        .routes(routes!(trust::trust))
        .routes(routes!(children::children))
        .routes(routes!(used_by::used_by))
        .routes(routes!(new_ssh_key::new_ssh_key))
        .routes(routes!(health::health))
        .routes(routes!(reset_circuit::reset_circuit))
}
