//! Files: versions of named content.

pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod delete_content;
pub(crate) mod download;
pub(crate) mod download_head;
mod form;
pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod read_content;
pub(crate) mod read_content_head;
pub(crate) mod restore;
pub(crate) mod stat;
pub(crate) mod update;
pub(crate) mod upload;
pub(crate) mod verify;
pub(crate) mod versions;
pub(crate) mod write_content;

use axum::response::{IntoResponse, Response};
use bailee_model as model;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Body, Created, tagged};
use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(upload::upload))
        .routes(routes!(list::list))
        .routes(routes!(lookup::lookup))
        .routes(routes!(
            read_content::read_content,
            read_content_head::read_content_head,
            write_content::write_content,
            delete_content::delete_content
        ))
        .routes(routes!(stat::stat, update::update, delete::delete))
        .routes(routes!(download::download, download_head::download_head))
        .routes(routes!(versions::versions))
        .routes(routes!(copy::copy))
        .routes(routes!(restore::restore))
        .routes(routes!(verify::verify))
}

/// 200 with a file. Its ETag is the hash: what a download of it has, and what conditions on it are compared with.
pub(crate) fn found(file: &model::File) -> Response {
    tagged(&file.hash, Body(bailee_api::File::from(file)))
}

/// 201 with a new file.
pub(crate) fn created(file: &model::File) -> Response {
    let body = bailee_api::File::from(file);
    let location = body.links.own.clone();
    tagged(&file.hash, Created { location, body }.into_response())
}
