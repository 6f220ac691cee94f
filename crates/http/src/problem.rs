//! The one way from an error to an answer: handlers and middleware answer with [`Failure`], and the outermost layer
//! turns it into `application/problem+json` by the table in `bailee_api::problem_kind`.
//!
//! On download routes an answer to a request with `Range` has no body (a client that resumes appends it to its file);
//! the code stands in `Bailee-Problem` instead.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bailee_api::{Problem, ProblemPlace, problem_kind};
use bailee_model::{Error, ErrorKind};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::limit::RETRY_AFTER_DEFAULT_SECONDS;
use crate::middleware::RequestFacts;

/// Names the problem's code where the body cannot.
pub(crate) const BAILEE_PROBLEM: HeaderName = HeaderName::from_static("bailee-problem");

/// An error on its way out, with headers that belong to it.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    headers: HeaderMap,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            headers: HeaderMap::new(),
        }
    }
}

impl Failure {
    /// The same with one more header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// Travels from a handler to the outermost layer.
#[derive(Clone)]
pub(crate) struct Fault(Arc<Error>);

impl Fault {
    pub(crate) fn kind(&self) -> ErrorKind {
        self.0.kind()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut answer = status(self.error.kind()).into_response();
        answer.headers_mut().extend(self.headers);
        answer.extensions_mut().insert(Fault(Arc::new(self.error)));
        answer
    }
}

fn status(kind: ErrorKind) -> StatusCode {
    StatusCode::from_u16(problem_kind(kind).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// No route has this path.
pub(crate) async fn no_such_route() -> Failure {
    Error::new(ErrorKind::NotFound, "There is no such route.").into()
}

/// The route is there, and not for this method; axum adds `Allow`.
pub(crate) async fn method_not_allowed(method: Method) -> Failure {
    let detail = format!("{method} is not a method of this route.");
    Error::new(ErrorKind::MethodNotAllowed, detail).into()
}

/// Writes the body and the headers of a failed answer; others pass unchanged.
pub(crate) fn finish(answer: Response, facts: &RequestFacts) -> Response {
    let Some(fault) = answer.extensions().get::<Fault>().cloned() else {
        return answer;
    };
    let error = fault.0.as_ref();
    log(error, facts);
    let retry_after = retry_after_seconds(error);
    let (mut head, _) = answer.into_parts();
    if let Some(seconds) = retry_after {
        head.headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(challenge) = challenge(error.kind()) {
        head.headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        );
    }
    let is_bodiless = facts.is_bare_on_error || error.kind() == ErrorKind::RangeNotSatisfiable;
    head.headers.remove(header::CONTENT_LENGTH);
    if is_bodiless {
        let code = HeaderValue::from_static(error.kind().code());
        head.headers.insert(BAILEE_PROBLEM, code);
        head.headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        return Response::from_parts(head, Body::empty());
    }
    head.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    let body = body(error, facts, retry_after);
    Response::from_parts(head, Body::from(body))
}

fn body(error: &Error, facts: &RequestFacts, retry_after: Option<u32>) -> Vec<u8> {
    let place = ProblemPlace {
        origin: &facts.origin,
        instance: &facts.instance,
        request_id: facts.id,
    };
    let mut problem = Problem::new(error, place);
    problem.retry_after = retry_after;
    if let Some(text) = &facts.client_id {
        problem
            .extra
            .insert("client_request_id".to_owned(), text.clone().into());
    }
    serde_json::to_vec(&problem).unwrap_or_default()
}

/// Every 429 and 503 says when to come back, and it is never at once.
fn retry_after_seconds(error: &Error) -> Option<u32> {
    let named = error.retry_after_seconds().map(|seconds| seconds.max(1));
    match status(error.kind()) {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Some(named.unwrap_or(RETRY_AFTER_DEFAULT_SECONDS))
        }
        _ => named,
    }
}

/// RFC 6750: a request without any credential is told the scheme and no error.
fn challenge(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::CredentialMissing => Some("Bearer"),
        ErrorKind::SignatureInvalid => Some("Signature"),
        kind if status(kind) == StatusCode::UNAUTHORIZED => Some("Bearer error=\"invalid_token\""),
        _ => None,
    }
}

/// Failures of ours are logged once, here, with causes that the caller never sees.
fn log(error: &Error, facts: &RequestFacts) {
    use std::error::Error as _;
    if !matches!(
        error.kind(),
        ErrorKind::InternalError | ErrorKind::Unavailable | ErrorKind::StorageFull
    ) {
        return;
    }
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    tracing::error!(
        request.id = %facts.id,
        operation = facts.operation_id(),
        code = error.kind().code(),
        cause = causes.join(": "),
        "{}", error.detail()
    );
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn every_kind_has_a_status_and_says_when_to_retry() {
        for kind in ErrorKind::ALL {
            let error = Error::new(*kind, "x");
            assert!(status(*kind).is_client_error() || status(*kind).is_server_error());
            let expected = matches!(status(*kind).as_u16(), 429 | 503);
            assert_eq!(retry_after_seconds(&error).is_some(), expected, "{kind:?}");
        }
        let error = Error::new(ErrorKind::RateLimited, "x").retry_after(0);
        assert_eq!(retry_after_seconds(&error), Some(1));
    }

    #[test]
    fn an_answer_to_a_resumed_download_has_no_body() {
        let mut facts = RequestFacts::example();
        facts.is_bare_on_error = true;
        let failure = Failure::from(Error::not_found("file"));
        let answer = finish(failure.into_response(), &facts);
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.headers().get(BAILEE_PROBLEM).unwrap(), "not_found");
        assert_eq!(answer.headers().get("content-length").unwrap(), "0");
        assert!(!answer.headers().contains_key("content-type"));
    }

    #[test]
    fn a_refused_credential_is_challenged() {
        let failure = Failure::from(Error::new(ErrorKind::CredentialInvalid, "x"));
        let answer = finish(failure.into_response(), &RequestFacts::example());
        let challenge = answer.headers().get("www-authenticate").unwrap();
        assert_eq!(challenge, "Bearer error=\"invalid_token\"");
        assert_eq!(
            answer.headers().get("content-type").unwrap(),
            "application/problem+json"
        );
    }
}
