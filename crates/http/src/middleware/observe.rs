use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bailee_core::Caller;
use bailee_model::Error;
use futures::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, header};
use tracing::Instrument as _;

use super::RequestFacts;
use super::admit::admit;
use crate::problem::{self, Failure, Fault};
use crate::site::Site;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Metric: time from a request's head to its answer's.
pub const REQUEST_SECONDS: &str = "bailee_http_request_seconds";

/// Upper bounds of [`REQUEST_SECONDS`]: from a lookup in memory over a durable write to the end of a large upload.
pub const REQUEST_SECONDS_BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0,
];

/// Whom the access line names; put into the answer's extensions by the sign-in.
#[derive(Clone)]
pub(crate) struct SignedIn(pub(crate) Caller);

/// Gives a request its facts, and its answer what every answer has.
pub(crate) async fn observe(
    State(site): State<Site>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let facts = RequestFacts::of(&site, &request);
    let method = request.method().clone();
    request.extensions_mut().insert(facts.clone());
    let span = tracing::info_span!(
        "request",
        request.id = %facts.id,
        operation = facts.operation_id(),
    );
    let answer = AssertUnwindSafe(admit(&site, request, next))
        .catch_unwind()
        .instrument(span)
        .await
        // The panic hook has written where; the caller learns no more than that it happened.
        .unwrap_or_else(|_| Failure::from(Error::internal("a handler panicked")).into_response());
    let mut answer = problem::finish(answer, &facts);
    if method == Method::HEAD {
        *answer.body_mut() = Body::empty();
    }
    dress(&mut answer, &facts);
    tell(&answer, &facts, &method, began.elapsed());
    answer
}

/// Headers of every answer. A handler that set one of them knows better.
fn dress(answer: &mut Response, facts: &RequestFacts) {
    const ALWAYS: [(HeaderName, &str); 5] = [
        (
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=31536000; includeSubDomains",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; sandbox",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = answer.headers_mut();
    for (name, value) in ALWAYS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    let own = facts.id.to_string();
    let id = facts.client_id.as_ref().unwrap_or(&own);
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
}

/// One line and two metrics for each request: when the answer's head is ready.
fn tell(answer: &Response, facts: &RequestFacts, method: &Method, took: Duration) {
    let code = answer.status().as_u16();
    let route = facts.route.as_deref().unwrap_or("-").to_owned();
    metrics::counter!("bailee_http_requests_total", "route" => route.clone(), "code" => code.to_string())
        .increment(1);
    metrics::histogram!(REQUEST_SECONDS, "route" => route.clone()).record(took);
    let caller = answer.extensions().get::<SignedIn>();
    let fault = answer.extensions().get::<Fault>();
    let error = fault.map(|fault| fault.kind().code());
    let status = if code < 400 { "success" } else { "error" };
    tracing::info!(
        target: "bailee::access",
        {
            request.id = %facts.id,
            request.client_id = facts.client_id.as_deref(),
            operation = facts.operation_id(),
            http.method = method.as_str(),
            http.route = route,
            http.status = code,
            duration = took.as_secs_f64(),
            status,
            error,
            client.address = facts.address.map(tracing::field::display),
            tenant.id = caller.map(|known| tracing::field::display(known.0.tenant())),
            principal.id = caller.map(|known| tracing::field::display(known.0.principal())),
        },
        "answered"
    );
}
