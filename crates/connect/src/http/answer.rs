//! Answers: what a status means, and bodies small enough to hold.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, StatusCode, header::RETRY_AFTER};
use reqwest::Response;

use super::client::fault;
use crate::fault::{Fault, FaultKind, Result, far_words};
use crate::limit;

/// `answer` if it succeeded, else the fault that its status stands for, with the far system's own words. `what` is what
/// was asked for, as in "writing `/a.csv`".
pub(crate) async fn expect(answer: Response, what: &str) -> Result<Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let (status, wait) = (answer.status(), wait(&answer));
    let words = match document(answer, limit::ANSWER_READ_BYTES_MAX).await {
        Ok(body) => String::from_utf8_lossy(&body).into_owned(),
        Err(_) => String::new(),
    };
    Err(status_fault(status, what, &words).retry_after(wait))
}

/// The fault that `status` stands for.
pub(crate) fn status_fault(status: StatusCode, what: &str, words: &str) -> Fault {
    let kind = match status.as_u16() {
        401 => FaultKind::AuthFailed,
        403 => FaultKind::PermissionDenied,
        404 | 410 => FaultKind::NotFound,
        408 => FaultKind::Timeout,
        409 | 412 => FaultKind::Exists,
        413 | 507 => FaultKind::OutOfSpace,
        425 | 429 | 500 | 502 | 503 | 504 => FaultKind::Busy,
        405 | 501 => FaultKind::Unsupported,
        300..=399 => FaultKind::Protocol,
        _ => FaultKind::Io,
    };
    let redirect = if status.is_redirection() {
        "; redirects are not followed"
    } else {
        ""
    };
    let words = far_words(words.trim());
    let said = if words.is_empty() {
        String::new()
    } else {
        format!(" ({words})")
    };
    Fault::new(
        kind,
        format!("{what}: the far system answered {status}{redirect}{said}"),
    )
}

/// How long the far system asks to be left alone.
pub(crate) fn wait(answer: &Response) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The whole body, at most `bytes_max` of it: more is a fault.
pub(crate) async fn document(mut answer: Response, bytes_max: usize) -> Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(piece) = next_piece(&mut answer).await? {
        if body.len() + piece.len() > bytes_max {
            return Err(Fault::protocol(format!(
                "the far system's answer is longer than {bytes_max} bytes"
            )));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// What comes next of a body that is read here; it may not stay silent for long.
pub(crate) async fn next_piece(answer: &mut Response) -> Result<Option<Bytes>> {
    tokio::time::timeout(limit::IDLE_TIME_MAX, answer.chunk())
        .await
        .map_err(|_| Fault::timeout("the far system's answer"))?
        .map_err(fault)
}

/// The text of a header, if there is one and it is text.
pub(crate) fn header(answer: &Response, name: impl Into<HeaderName>) -> Option<&str> {
    answer.headers().get(name.into())?.to_str().ok()
}

/// The strong entity tag of an answer, with its quotes.
pub(crate) fn entity_tag(answer: &Response) -> Option<String> {
    header(answer, http::header::ETAG)
        .filter(|tag| tag.starts_with('"'))
        .map(str::to_owned)
}
