use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bailee_model::Error;
use http::{HeaderMap, HeaderValue, header};

use crate::answer::Answer;
use crate::middleware::{RequestFacts, identify};
use crate::site::Site;

/// Prometheus text, for the operator.
pub(super) async fn metrics(
    State(site): State<Site>,
    Extension(facts): Extension<RequestFacts>,
    headers: HeaderMap,
) -> Answer<Response> {
    let caller = identify(&site, &facts, &headers).await?;
    site.core()
        .admit_operator(&caller, "system.metrics")
        .await?;
    let text = site
        .metrics()
        .ok_or_else(|| Error::not_found("page"))?
        .render();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
