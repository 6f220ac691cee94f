use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bailee_api::{Health, HealthStatus};
use bailee_core::Core;
use http::{HeaderValue, StatusCode, header};

use crate::answer::Body;
use crate::limit::RETRY_AFTER_DEFAULT_SECONDS;

/// The process lives.
pub(super) async fn live() -> Response {
    Body(Health {
        status: HealthStatus::Ok,
    })
    .into_response()
}

/// Requests can be served here and now.
pub(super) async fn ready(State(core): State<Core>) -> Response {
    let status = match core.ready().await {
        Ok(()) => {
            return Body(Health {
                status: HealthStatus::Ok,
            })
            .into_response();
        }
        Err(_) if core.is_draining() => HealthStatus::Draining,
        Err(error) => {
            tracing::warn!(%error, "not ready");
            HealthStatus::Failed
        }
    };
    let mut answer = (StatusCode::SERVICE_UNAVAILABLE, Body(Health { status })).into_response();
    let seconds = HeaderValue::from(RETRY_AFTER_DEFAULT_SECONDS);
    answer.headers_mut().insert(header::RETRY_AFTER, seconds);
    answer
}
