//! POST with `Idempotency-Key`: the work happens once, and a repetition gets the stored answer.
//!
//! The fingerprint covers query and body; of a multipart upload, whose body is not held in memory, it covers the
//! declared length instead. Only answers that began work (2xx) are stored. If the server dies between the work and
//! that, the operation runs again and answers from what its first run said of its work. One that shows a secret is
//! never stored: an answer that is kept must not hold what is stored nowhere else in the clear. Its repetition runs
//! into core, which knows that the secret was shown.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bailee_core::{Begin, Caller, Core, IdempotencySlot, StoredAnswer};
use bailee_model::{Error, ErrorKind, limit};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::RequestFacts;
use crate::problem::Failure;
use crate::site::Site;
use crate::{body, digest};

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Headers that are kept with an answer.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];
/// Members of answers that are shown once.
const SECRETS: [&str; 2] = ["api_key", "secret"];

/// Answers a repeated POST from memory; others pass.
pub(super) async fn replay(site: &Site, request: Request, next: Next) -> Response {
    let is_named = request.headers().contains_key("idempotency-key");
    // Whoever comes without a key has a signed name for the call.
    let is_known = request.extensions().get::<Caller>().is_some();
    if request.method() != Method::POST || !is_named || !is_known {
        return next.run(request).await;
    }
    match once(site, request, next).await {
        Ok(answer) => answer,
        Err(error) => Failure::from(error).into_response(),
    }
}

async fn once(site: &Site, request: Request, next: Next) -> Result<Response, Error> {
    let key = key(request.headers())?;
    let missing = || Error::internal("an operation without facts or caller");
    let facts = request
        .extensions()
        .get::<RequestFacts>()
        .ok_or_else(missing)?;
    let route = facts.operation_id().to_owned();
    let caller = request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(missing)?;
    let (request, fingerprint) = fingerprinted(request).await?;
    let core = site.core().clone();
    let slot = match core
        .idempotency()
        .begin(&caller, &route, &key, &fingerprint)
        .await?
    {
        Begin::Replay(stored) => return Ok(replayed(stored)),
        Begin::Fresh(slot) => slot,
    };
    let is_repeated = slot.is_repeated();
    let mut request = request;
    // What does the work says so under the mark.
    request.extensions_mut().insert(slot.caller());
    // Detached: when the client leaves, the work goes on and its answer waits for the repetition.
    let mut answer = tokio::spawn(settle(core, *slot, request, next))
        .await
        .map_err(Error::internal)?;
    if is_repeated && answer.status().is_success() {
        say_replayed(&mut answer);
    }
    Ok(answer)
}

async fn settle(core: Core, slot: IdempotencySlot, request: Request, next: Next) -> Response {
    use futures::FutureExt as _;
    let run = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer = run
        .await
        .unwrap_or_else(|_| Failure::from(Error::internal("a handler panicked")).into_response());
    let (answer, stored) = if answer.status().is_success() {
        stored(answer).await
    } else {
        (answer, Kept::Nothing)
    };
    let settled = match stored {
        Kept::Whole(stored) => core.idempotency().finish(slot, &stored).await,
        Kept::Nothing => core.idempotency().release(slot).await,
    };
    if let Err(error) = settled {
        tracing::warn!(%error, "an idempotency key could not be settled; it ends by its time");
    }
    answer
}

/// What is kept of an answer.
enum Kept {
    /// All of it.
    Whole(StoredAnswer),
    /// Nothing: it did no work, or the work says by itself that it was done.
    Nothing,
}

/// Quoted or bare, up to 255 visible ASCII characters.
fn key(headers: &HeaderMap) -> Result<String, Error> {
    let mut values = headers.get_all("idempotency-key").iter();
    let text = values.next().and_then(|value| value.to_str().ok());
    let text = text.map(|text| {
        let inner = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        inner.unwrap_or(text)
    });
    match text {
        Some(text)
            if values.next().is_none()
                && !text.is_empty()
                && text.len() <= limit::IDEMPOTENCY_KEY_MAX
                && text.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(Error::new(
            ErrorKind::InvalidParameter,
            "`Idempotency-Key` is 1 to 255 visible ASCII characters, once.",
        )),
    }
}

async fn fingerprinted(request: Request) -> Result<(Request, String), Error> {
    let (head, content) = request.into_parts();
    let mut whole = head.uri.path().as_bytes().to_vec();
    // Both mounts are the same route.
    if let Some(rest) = head.uri.path().strip_prefix("/v1") {
        whole = rest.as_bytes().to_vec();
    }
    whole.push(b'?');
    whole.extend_from_slice(head.uri.query().unwrap_or_default().as_bytes());
    whole.push(b'\n');
    let is_form = head
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    if is_form {
        let length = body::declared_size(&head.headers);
        whole.extend_from_slice(format!("{length:?}").as_bytes());
        return Ok((
            Request::from_parts(head, content),
            digest::sha256_hex(&whole),
        ));
    }
    body::check_declared(&head.headers, limit::JSON_BODY_BYTES_MAX)?;
    let content = body::collect(content, limit::JSON_BODY_BYTES_MAX).await?;
    whole.extend_from_slice(&content);
    let fingerprint = digest::sha256_hex(&whole);
    Ok((Request::from_parts(head, Body::from(content)), fingerprint))
}

/// The answer, and what of it is kept; nothing of one that is too large to keep.
async fn stored(answer: Response) -> (Response, Kept) {
    let (head, content) = answer.into_parts();
    let Ok(content) = axum::body::to_bytes(content, limit::IDEMPOTENCY_BODY_BYTES_MAX).await else {
        // JSON answers are far smaller; an answer that is not is a stream, and no POST makes one.
        let error = Error::internal("an answer too large to keep for its idempotency key");
        return (Failure::from(error).into_response(), Kept::Nothing);
    };
    let headers = KEPT
        .iter()
        .filter_map(|name| {
            let value = head.headers.get(name)?.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        })
        .collect();
    let kept = if shows_secret(&content) {
        Kept::Nothing
    } else {
        Kept::Whole(StoredAnswer {
            status: head.status.as_u16(),
            headers,
            body: content.to_vec(),
        })
    };
    (Response::from_parts(head, Body::from(content)), kept)
}

fn shows_secret(content: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(content) else {
        return false;
    };
    let shows = |object: &serde_json::Value| {
        let mut members = SECRETS.iter().filter_map(|name| object.get(name));
        members.any(serde_json::Value::is_string)
    };
    shows(&value) || value.get("administrator").is_some_and(shows)
}

fn replayed(stored: StoredAnswer) -> Response {
    let mut answer = Response::new(Body::from(stored.body));
    *answer.status_mut() = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    for (name, value) in stored.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            answer.headers_mut().insert(name, value);
        }
    }
    say_replayed(&mut answer);
    answer
}

/// Says that what an answer tells of was done before.
pub(crate) fn say_replayed(answer: &mut Response) {
    let value = HeaderValue::from_static("true");
    answer.headers_mut().insert(REPLAYED, value);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn with(text: &str) -> Result<String, Error> {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", text.parse().unwrap());
        key(&headers)
    }

    #[test]
    fn a_key_is_bare_or_quoted() {
        assert_eq!(with("abc").unwrap(), "abc");
        assert_eq!(with("\"abc\"").unwrap(), "abc");
        assert!(with("").is_err());
        assert!(with("a b").is_err());
        assert!(with(&"a".repeat(256)).is_err());
    }

    #[test]
    fn an_answer_with_a_secret_is_known() {
        assert!(shows_secret(br#"{"key_id":"key_1","api_key":"x"}"#));
        assert!(shows_secret(br#"{"administrator":{"api_key":"x"}}"#));
        assert!(!shows_secret(br#"{"webhook_id":"whk_1","secret":null}"#));
        assert!(!shows_secret(b"no JSON"));
    }
}
