//! Shapes of answers.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::digest::sha256_hex;
use crate::problem::Failure;

/// What a handler gives.
pub(crate) type Answer<T = Response> = Result<T, Failure>;

/// 200 with JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Body<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => {
                let kind = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, kind)], bytes).into_response()
            }
            Err(error) => Failure::from(bailee_model::Error::internal(error)).into_response(),
        }
    }
}

/// 201 with the new object and its place.
pub(crate) struct Created<T> {
    /// The object's `/v1` path.
    pub(crate) location: String,
    /// The object.
    pub(crate) body: T,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        placed(StatusCode::CREATED, &self.location, self.body)
    }
}

/// 202 with the object that will show the result, and its place.
pub(crate) struct Accepted<T> {
    /// The object's `/v1` path.
    pub(crate) location: String,
    /// The object.
    pub(crate) body: T,
}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        placed(StatusCode::ACCEPTED, &self.location, self.body)
    }
}

fn placed(status: StatusCode, location: &str, body: impl Serialize) -> Response {
    let mut answer = (status, Body(body)).into_response();
    if let Ok(value) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(header::LOCATION, value);
    }
    answer
}

/// 204.
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// An object with its strong ETag: the given one, which conditions are compared with.
pub(crate) fn tagged(etag: &str, answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{etag}\"")) {
        answer.headers_mut().insert(header::ETAG, value);
    }
    answer
}

/// 200 with a configuration object whose ETag is made of its text: it changes exactly when the object does.
pub(crate) struct Object<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Object<T> {
    fn into_response(self) -> Response {
        /// Hex digits of the digest that make the tag: 128 bits.
        const TAG_CHARS: usize = 32;
        let text = serde_json::to_vec(&self.0).unwrap_or_default();
        let tag: String = sha256_hex(&text).chars().take(TAG_CHARS).collect();
        tagged(&tag, Body(self.0))
    }
}
