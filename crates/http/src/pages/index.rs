use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bailee_model::Error;
use http::{HeaderValue, header};
use serde_json::json;

use crate::answer::{Answer, Body};
use crate::site::Site;

/// How long `security.txt` claims to be current (RFC 9116 wants less than a year).
const SECURITY_TEXT_LIFE: Duration = Duration::from_hours(180 * 24);

/// Where things are.
pub(super) async fn index() -> Response {
    Body(json!({
        "name": "bailee",
        "version": env!("CARGO_PKG_VERSION"),
        "api": "/v1",
        "document": "/openapi.json",
        "reference": "/docs/api",
        "problems": "/docs/problems/",
        "health": "/healthz",
    }))
    .into_response()
}

/// Whom to tell of a weakness (RFC 9116).
pub(super) async fn security(State(site): State<Site>) -> Answer<Response> {
    let contact = site
        .security_contact()
        .ok_or_else(|| Error::not_found("page"))?;
    let expires = site.core().clock().now().plus(SECURITY_TEXT_LIFE);
    let text = format!("Contact: {contact}\nExpires: {expires}\nPreferred-Languages: en\n");
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
