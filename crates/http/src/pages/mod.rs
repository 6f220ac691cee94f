//! What is served outside the API: health, metrics, documents, and pages for people. Nothing loads from elsewhere.

mod api_reference;
mod health;
mod html;
mod index;
mod metrics;
mod problem_page;
mod swagger;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, header};

use crate::site::Site;

pub(crate) use self::api_reference::render as render_reference;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/", get(index::index))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(document))
        .route("/docs/api", get(swagger::to_folder))
        .route("/docs/api/", get(swagger::start))
        .route("/docs/api/{file}", get(swagger::file))
        .route("/docs/reference", get(api_reference::page))
        .route("/docs/style.css", get(html::style))
        .route("/docs/problems/", get(problem_page::list))
        .route("/docs/problems/{code}/", get(problem_page::page))
        .route("/docs/problems/{code}", get(problem_page::page))
        .route("/.well-known/security.txt", get(index::security))
}

/// The API document, OpenAPI 3.1.
async fn document(State(site): State<Site>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], site.document()).into_response()
}
