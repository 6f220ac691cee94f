//! Answers with the bytes of a file: whole, in part, or not at all, by RFC 9110.
//!
//! A `file_id` names the same bytes for ever, so its hash is a strong validator. Every number of the answer's head is
//! exact before the first byte leaves; when a byte cannot be delivered after that, the connection is cut short of
//! `Content-Length`, so that no client takes a part for the whole.

mod condition;
mod disposition;
mod parts;
mod range;

use std::ops::Range;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::IntoResponse as _;
use bailee_core::{ByteStream, OpenFile};
use bailee_model::{Error, ErrorKind, File};
use futures::TryStreamExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use self::condition::{Validators, Verdict};
use self::range::Wanted;
use crate::answer::Answer;
use crate::digest::{self, REPR_DIGEST};
use crate::middleware::RequestFacts;
use crate::problem::Failure;

/// What of a request decides how a file is answered.
pub(crate) struct DownloadRequest {
    method: Method,
    headers: HeaderMap,
    boundary: String,
}

impl<S: Sync> FromRequestParts<S> for DownloadRequest {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let facts = parts.extensions.get::<RequestFacts>();
        let id = facts
            .map(|facts| facts.id.to_string())
            .ok_or_else(|| Error::internal("a request without facts"))?;
        Ok(Self {
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            // Unpredictable enough that no stored byte sequence was made to collide with it.
            boundary: format!("bailee-{id}"),
        })
    }
}

/// The answer for a file that may be read.
pub(crate) async fn respond(open: OpenFile, request: &DownloadRequest) -> Answer {
    let file = &open.file;
    let size = file.size_bytes;
    let validators = Validators::of(file);
    match condition::judge(&request.headers, &validators)? {
        Verdict::Failed => {
            let detail = "The file has another ETag or date than the request asks for.";
            return Err(Error::new(ErrorKind::EtagMismatch, detail).into());
        }
        Verdict::NotModified => {
            let mut answer = StatusCode::NOT_MODIFIED.into_response();
            *answer.headers_mut() = validators.headers();
            return Ok(answer);
        }
        Verdict::Go => {}
    }
    // Ranges are defined for GET alone; HEAD tells of the whole.
    let is_get = request.method == Method::GET;
    let wanted = if is_get && condition::range_counts(&request.headers, &validators) {
        range::read(&request.headers, size).map_err(|error| unsatisfiable(error, size))?
    } else {
        Wanted::Whole
    };
    let mut head = head(file, &validators);
    if !is_get {
        length(&mut head, size);
        return Ok((StatusCode::OK, head).into_response());
    }
    match wanted {
        Wanted::Whole => {
            length(&mut head, size);
            let bytes = open.stream(0..size).await?;
            Ok((StatusCode::OK, head, body(bytes)).into_response())
        }
        Wanted::One(range) => {
            length(&mut head, range.end - range.start);
            set(
                &mut head,
                header::CONTENT_RANGE,
                &content_range(&range, size),
            );
            let bytes = open.stream(range).await?;
            Ok((StatusCode::PARTIAL_CONTENT, head, body(bytes)).into_response())
        }
        Wanted::Many(ranges) => {
            let plan = parts::Plan::new(ranges, size, &file.content_type, &request.boundary);
            length(&mut head, plan.size_bytes());
            set(&mut head, header::CONTENT_TYPE, &plan.content_type());
            let bytes = plan.stream(open);
            Ok((StatusCode::PARTIAL_CONTENT, head, body(bytes)).into_response())
        }
    }
}

fn head(file: &File, validators: &Validators) -> HeaderMap {
    let mut head = validators.headers();
    let kind = HeaderValue::from_str(&file.content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    head.insert(header::CONTENT_TYPE, kind);
    head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(value) = digest::header_of(&file.hash) {
        head.insert(REPR_DIGEST, value);
    }
    let name = disposition::attachment(file.path.name().as_str());
    set(&mut head, header::CONTENT_DISPOSITION, &name);
    // Stored bytes are somebody else's: no browser runs them with our origin.
    head.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    head
}

fn length(head: &mut HeaderMap, bytes: u64) {
    head.insert(header::CONTENT_LENGTH, bytes.into());
}

fn set(head: &mut HeaderMap, name: header::HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        head.insert(name, value);
    }
}

/// `bytes 20-25/26`
fn content_range(range: &Range<u64>, size: u64) -> String {
    format!(
        "bytes {}-{}/{size}",
        range.start,
        range.end.saturating_sub(1)
    )
}

fn unsatisfiable(error: Error, size: u64) -> Failure {
    let is_outside = error.kind() == ErrorKind::RangeNotSatisfiable;
    let failure = Failure::from(error);
    match HeaderValue::from_str(&format!("bytes */{size}")) {
        Ok(value) if is_outside => failure.with_header(header::CONTENT_RANGE, value),
        _ => failure,
    }
}

/// An error after the head can only be told by cutting the connection; the log says why.
fn body(bytes: ByteStream) -> Body {
    Body::from_stream(bytes.map_err(|error| {
        tracing::error!(code = error.kind().code(), %error, "a download broke off");
        std::io::Error::other(error)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_inclusive() {
        assert_eq!(content_range(&(20..26), 26), "bytes 20-25/26");
        assert_eq!(content_range(&(0..1), 1), "bytes 0-0/1");
    }
}
