//! What a refused request leaves behind on its connection.
//!
//! A handler may answer before it has read the body. HTTP/1.1 cannot send the next request past unread bytes, so the
//! connection would be closed after an answer that promised to keep it, and the client's next request would break
//! off. A short rest is therefore read and dropped before the answer; after a long one the answer says `close`.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderValue, Version, header};

use crate::body::{declared_size, is_ambiguous};

/// More unread bytes than this are not worth the connection. A document as large as may be is read: a client that is still
/// sending it would find the connection gone instead of its answer.
const REST_BYTES_MAX: usize = bailee_model::limit::JSON_BODY_BYTES_MAX;
/// So long an answer may be held back for the rest to come.
const REST_WAIT: Duration = Duration::from_secs(1);

type Home = Arc<Mutex<Option<BodyDataStream>>>;

/// A request's body that goes home when its reader drops it before its end.
struct Lent {
    body: Option<BodyDataStream>,
    home: Home,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let next = body.poll_next_unpin(context);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        next
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Ok(mut home)) = (self.body.take(), self.home.lock()) {
            *home = Some(body);
        }
    }
}

/// Leaves the connection fit for the next request, or tells the client that there is none.
pub(super) async fn settle(request: Request, next: Next) -> Response {
    let has_body = declared_size(request.headers()).unwrap_or(0) > 0
        || request.headers().contains_key(header::TRANSFER_ENCODING);
    if !has_body || request.version() > Version::HTTP_11 {
        return next.run(request).await;
    }
    let is_short = is_short(request.headers());
    let home = Home::default();
    let (parts, body) = request.into_parts();
    let lent = Lent {
        body: Some(body.into_data_stream()),
        home: Arc::clone(&home),
    };
    let request = Request::from_parts(parts, Body::from_stream(lent));
    let mut response = next.run(request).await;
    let rest = home.lock().ok().and_then(|mut home| home.take());
    let Some(rest) = rest else { return response };
    if !(is_short && is_read(rest).await) {
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether the rest may be waited for. Who asked whether to go on (`Expect`) has not sent it, and need not now. Where
/// an ambiguous one ends, nobody knows.
fn is_short(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::EXPECT)
        && !is_ambiguous(headers)
        && declared_size(headers).is_none_or(|bytes| bytes <= REST_BYTES_MAX as u64)
}

async fn is_read(mut rest: BodyDataStream) -> bool {
    let reading = async {
        let mut bytes = 0;
        while let Some(piece) = rest.next().await {
            match piece {
                Ok(piece) => bytes += piece.len(),
                Err(_) => return false,
            }
            if bytes > REST_BYTES_MAX {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(REST_WAIT, reading)
        .await
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_short_rest_is_read_and_a_long_or_late_one_is_not() {
        let body = |bytes: usize| Body::from(vec![0; bytes]).into_data_stream();
        assert!(is_read(body(3)).await);
        assert!(is_read(body(REST_BYTES_MAX)).await);
        assert!(!is_read(body(REST_BYTES_MAX + 1)).await);
        let never = futures::stream::pending::<Result<Bytes, axum::Error>>();
        assert!(!is_read(Body::from_stream(never).into_data_stream()).await);
    }

    #[tokio::test]
    async fn a_body_goes_home_unless_it_was_read_to_its_end() {
        for (pieces, is_home) in [(1, true), (3, false)] {
            let home = Home::default();
            let source = futures::stream::iter(["a", "b"].map(Ok::<_, axum::Error>));
            let mut lent = Lent {
                body: Some(Body::from_stream(source).into_data_stream()),
                home: Arc::clone(&home),
            };
            for _ in 0..pieces {
                let _ = lent.next().await;
            }
            drop(lent);
            assert_eq!(home.lock().is_ok_and(|home| home.is_some()), is_home);
        }
    }
}
