//! Sending webhooks: one POST, one answer, nothing followed.
//!
//! The address is judged by the [`EgressGuard`]; redirects are answers like any other; the answer is read within bounds
//! and neither unpacked nor interpreted. Plain `http` is for a guard-allowed loopback address only.

mod dial;
mod pool;
mod request;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bailee_model::Timestamp;
use bytes::Bytes;
use http::HeaderMap;
use http::header::RETRY_AFTER;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use self::pool::{Line, Pool};
use self::request::Target;
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

/// One POST.
#[derive(Clone, Debug)]
pub struct PostRequest {
    /// `https://…`; `http://…` for a guard-allowed loopback address only. No user name or password in it.
    pub url: String,
    /// Header names and values. Those that frame the message or name the host are refused.
    pub headers: Vec<(String, String)>,
    /// The body, sent as it is.
    pub body: Bytes,
    /// For everything from the look-up of the name to the answer's head.
    pub timeout: Duration,
}

/// When a receiver wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so many seconds.
    Seconds(u64),
    /// At this time.
    At(Timestamp),
}

/// What a receiver answered, whatever the status.
#[derive(Clone, Debug)]
pub struct PostAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case; values that are not text are left out.
    pub head: Vec<(String, String)>,
    /// The first 4 KiB of the body at most.
    pub body_start: Vec<u8>,
    /// The body went on after `body_start`.
    pub is_body_cut: bool,
    /// From the look-up of the name to the end of what was read, in milliseconds.
    pub duration_ms: u64,
    /// The address that was connected to.
    pub address: SocketAddr,
    /// The answer's `Retry-After`, if it has one that can be read.
    pub retry_after: Option<RetryAfter>,
}

/// Sends POST requests and keeps a few connections open between them.
pub struct Poster {
    guard: EgressGuard,
    tls: TlsConnector,
    pool: Arc<Pool>,
}

impl fmt::Debug for Poster {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Poster")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}

impl Poster {
    /// A sender that trusts this machine's certificate authorities and those in `extra_roots_pem` (PEM, may be empty).
    /// Fails with [`FaultKind::CertificateInvalid`] if the PEM cannot be read.
    pub fn new(guard: EgressGuard, extra_roots_pem: &str) -> Result<Self> {
        Ok(Self {
            guard,
            tls: dial::tls(extra_roots_pem)?,
            pool: Arc::new(Pool::default()),
        })
    }

    /// Sends `request` and reads the answer. Any status is an answer; a fault means that there was none. Either way, the
    /// receiver may have seen the request, even twice.
    pub async fn post(&self, request: PostRequest) -> Result<PostAnswer> {
        let begun = Instant::now();
        let deadline = begun + request.timeout;
        let target = Target::parse(&request.url)?;
        let sent = tokio::time::timeout_at(deadline, self.send(&target, &request, deadline));
        let (response, line) = sent
            .await
            .map_err(|_| Fault::timeout("the receiver's answer"))??;
        let (head, mut body) = response.into_parts();
        let taken = take_body(&mut body, deadline).await;
        let address = line.address;
        if taken.is_complete {
            self.pool.put(target.key(), line);
        }
        Ok(PostAnswer {
            status: head.status.as_u16(),
            retry_after: retry_after(&head.headers),
            head: texts(&head.headers),
            body_start: taken.kept,
            is_body_cut: taken.is_cut,
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            address,
        })
    }

    /// Sends over an idle connection, or a new one.
    ///
    /// A receiver may hang up an idle connection just when it is used again, and nobody can tell whether the request
    /// was still read. It goes out once more, on a new connection: deliveries may arrive twice by contract, and carry an
    /// id to be told apart by.
    async fn send(
        &self,
        target: &Target,
        request: &PostRequest,
        deadline: Instant,
    ) -> Result<(http::Response<Incoming>, Line)> {
        let mut message = target.message(request)?;
        while let Some(mut line) = self.pool.take(target.key()) {
            if line.sender.ready().await.is_err() {
                continue;
            }
            let mut error = match line.sender.try_send_request(message).await {
                Ok(response) => return Ok((response, line)),
                Err(error) => error,
            };
            if let Some(unsent) = error.take_message() {
                message = unsent;
                continue;
            }
            let fault = dial::broken(error.into_error());
            if fault.kind() != &FaultKind::ConnectionLost {
                return Err(fault);
            }
            message = target.message(request)?;
            break;
        }
        let mut line = dial::line(&self.guard, &self.tls, target, deadline).await?;
        let response = line
            .sender
            .send_request(message)
            .await
            .map_err(dial::broken)?;
        Ok((response, line))
    }
}

struct Taken {
    kept: Vec<u8>,
    is_cut: bool,
    is_complete: bool,
}

/// Reads up to [`limit::ANSWER_READ_BYTES_MAX`] and keeps the start. The status is known by now, so a body that is slow,
/// broken or endless only costs the connection: it must not make a delivered message look undelivered.
async fn take_body(body: &mut Incoming, deadline: Instant) -> Taken {
    let mut taken = Taken {
        kept: Vec::new(),
        is_cut: false,
        is_complete: false,
    };
    let mut read_bytes = 0;
    while read_bytes <= limit::ANSWER_READ_BYTES_MAX {
        let frame = match tokio::time::timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => {
                taken.is_complete = true;
                return taken;
            }
            Ok(Some(Err(_))) | Err(_) => break,
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        read_bytes += data.len();
        let room = limit::ANSWER_KEPT_BYTES_MAX.saturating_sub(taken.kept.len());
        taken.is_cut |= data.len() > room;
        taken.kept.extend(data.iter().take(room));
    }
    taken.is_cut = true;
    taken
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        value
            .to_str()
            .ok()
            .map(|value| (name.as_str().to_owned(), value.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(RetryAfter::Seconds(seconds));
    }
    let since_1970 = httpdate::parse_http_date(text)
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    i64::try_from(since_1970.as_millis())
        .ok()
        .map(|ms| RetryAfter::At(Timestamp::from_ms(ms)))
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}
