use std::collections::HashMap;
use std::io::{Error, IoSlice, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::heads::{Ambiguous, Heads};
use super::limits::{LONG_BODY_BYTES, Limits, SHORT_READ_BYTES};
use super::peer::Protocol;

/// What a connection is doing: the memory behind those timers that hyper does not have.
///
/// hyper's own header timer runs from the end of the last answer, so it cannot tell an idle connection from a slow
/// head, and for HTTP/2 it has none.
pub(crate) struct Activity {
    protocol: Protocol,
    state: Mutex<State>,
    head_begun: Notify,
}

struct State {
    requests: u64,
    active: u64,
    idle_since: Instant,
    head_since: Option<Instant>,
    /// When the last piece of each answer went to the transport, which has not yet asked for more.
    handed_at: HashMap<u64, Instant>,
    /// A request whose head says its length twice.
    ambiguous: Option<Ambiguous>,
}

/// Why a connection is closed by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No whole request head arrived in time.
    SlowHead,
    /// Nothing was asked for long enough.
    Idle,
    /// An answer was not taken.
    Stalled,
}

/// Judgement over a connection at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    LookAgain(Instant),
    Close(Cause),
}

impl Activity {
    pub(crate) fn new(protocol: Protocol) -> Arc<Self> {
        let state = State {
            requests: 0,
            active: 0,
            idle_since: Instant::now(),
            head_since: None,
            handed_at: HashMap::new(),
            ambiguous: None,
        };
        Arc::new(Self {
            protocol,
            state: Mutex::new(state),
            head_begun: Notify::new(),
        })
    }

    /// A request head is complete. The request is active until the ticket is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Ticket {
        let mut state = self.lock();
        state.requests += 1;
        state.active += 1;
        state.head_since = None;
        Ticket {
            activity: Arc::clone(self),
            number: state.requests,
        }
    }

    /// Resolves when the first byte of a head arrived, so that [`Self::verdict`] is asked anew.
    pub(crate) async fn head_begun(&self) {
        self.head_begun.notified().await;
    }

    pub(crate) fn verdict(&self, limits: &Limits, now: Instant) -> Verdict {
        let state = self.lock();
        // A look earlier than due costs little, and nobody tells us when a request begins or ends.
        let soon = now + limits.idle.min(limits.stream_stall);
        let (cause, due) = if state.requests == 0 {
            (Cause::SlowHead, state.idle_since + limits.header_read)
        } else if state.active > 0 {
            let Some(oldest) = state.handed_at.values().min() else {
                return Verdict::LookAgain(soon);
            };
            (Cause::Stalled, *oldest + limits.stream_stall)
        } else if let Some(since) = state.head_since {
            (Cause::SlowHead, since + limits.header_read)
        } else {
            (Cause::Idle, state.idle_since + limits.idle)
        };
        if now >= due {
            Verdict::Close(cause)
        } else {
            Verdict::LookAgain(due.min(soon))
        }
    }

    /// Since when nothing is asked; `None` while something is.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.lock();
        (state.active == 0).then_some(state.idle_since)
    }

    /// Whether what is read now begins with a head. Nobody needs much of what is behind it yet.
    fn awaits_head(&self) -> bool {
        self.protocol == Protocol::Http1 && self.lock().active == 0
    }

    fn bytes_read(&self) {
        // On HTTP/2 the bytes may be pings and window updates; there the idle timer covers a slow head.
        if self.protocol != Protocol::Http1 {
            return;
        }
        let mut state = self.lock();
        if state.active == 0 && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
            drop(state);
            self.head_begun.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request from its complete head to the end of its answer.
pub(crate) struct Ticket {
    activity: Arc<Activity>,
    number: u64,
}

impl Ticket {
    /// A piece of the answer goes to the transport.
    pub(crate) fn handed(&self) {
        self.activity
            .lock()
            .handed_at
            .insert(self.number, Instant::now());
    }

    /// The `Content-Length` of an ambiguous head, which hyper dropped.
    pub(crate) fn dropped_length(&self) -> Option<HeaderValue> {
        let mut state = self.activity.lock();
        let ambiguous = state.ambiguous.take_if(|it| it.request == self.number)?;
        Some(ambiguous.length)
    }

    /// The transport asks for more.
    pub(crate) fn asked(&self) {
        self.activity.lock().handed_at.remove(&self.number);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        state.handed_at.remove(&self.number);
        state.active = state.active.saturating_sub(1);
        state.idle_since = Instant::now();
    }
}

/// A stream of plain bytes that reports to an [`Activity`] that something was read.
pub(crate) struct Watched<T> {
    inner: T,
    activity: Arc<Activity>,
    /// Of HTTP/1.
    heads: Option<Heads>,
    /// What was read since a head was awaited.
    request_bytes: u64,
    /// What reading met behind bytes that were good.
    failed: Option<Error>,
}

impl<T> Watched<T> {
    pub(crate) fn new(inner: T, activity: Arc<Activity>) -> Self {
        let heads = (activity.protocol == Protocol::Http1).then(Heads::new);
        Self {
            inner,
            activity,
            heads,
            request_bytes: 0,
            failed: None,
        }
    }
}

impl<T: AsyncRead + Unpin> Watched<T> {
    /// Reads until `buffer` is full or nothing more is there. TLS gives a record at a time; who reads a body works in
    /// larger pieces. Of a head nobody needs much of what is behind it yet.
    fn gather(
        &mut self,
        is_head: bool,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        loop {
            let filled = buffer.filled().len();
            let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
            let has_some = filled > before;
            let is_more = buffer.filled().len() > filled && buffer.remaining() > 0;
            match read {
                Poll::Ready(Ok(())) if is_more && !is_head => {}
                Poll::Ready(Err(error)) if has_some => {
                    self.failed = Some(error);
                    break;
                }
                Poll::Ready(Ok(())) => break,
                _ if has_some => break,
                other => return other,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn note(&mut self, read: &[u8]) {
        if read.is_empty() {
            return;
        }
        self.request_bytes = self.request_bytes.saturating_add(read.len() as u64);
        let heads = self.heads.as_mut();
        if let Some(ambiguous) = heads.and_then(|heads| heads.follow(read)) {
            self.activity.lock().ambiguous = Some(ambiguous);
        }
        self.activity.bytes_read();
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        let is_head = self.activity.awaits_head();
        if is_head {
            self.request_bytes = 0;
        }
        let is_short = self.heads.is_some() && self.request_bytes < LONG_BODY_BYTES;
        if !is_short || buffer.remaining() <= SHORT_READ_BYTES {
            let before = buffer.filled().len();
            ready!(self.gather(is_head, cx, buffer))?;
            self.note(buffer.filled().get(before..).unwrap_or_default());
            return Poll::Ready(Ok(()));
        }
        let mut start = ReadBuf::new(buffer.initialize_unfilled_to(SHORT_READ_BYTES));
        ready!(self.gather(is_head, cx, &mut start))?;
        self.note(start.filled());
        let count = start.filled().len();
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_phase_of_a_connection_has_its_timer() {
        let limits = Limits::default();
        let activity = Activity::new(Protocol::Http1);
        let ahead = |time| activity.verdict(&limits, Instant::now() + time);
        assert!(matches!(
            ahead(limits.header_read / 2),
            Verdict::LookAgain(_)
        ));
        assert_eq!(ahead(limits.header_read), Verdict::Close(Cause::SlowHead));

        let ticket = activity.begin();
        assert!(matches!(ahead(limits.stream_stall), Verdict::LookAgain(_)));
        ticket.handed();
        assert!(matches!(
            ahead(limits.stream_stall / 2),
            Verdict::LookAgain(_)
        ));
        assert_eq!(ahead(limits.stream_stall), Verdict::Close(Cause::Stalled));
        ticket.asked();
        assert!(matches!(ahead(limits.stream_stall), Verdict::LookAgain(_)));

        drop(ticket);
        assert!(matches!(ahead(limits.header_read), Verdict::LookAgain(_)));
        assert_eq!(ahead(limits.idle), Verdict::Close(Cause::Idle));
        activity.bytes_read();
        assert_eq!(ahead(limits.header_read), Verdict::Close(Cause::SlowHead));
    }

    #[tokio::test]
    async fn bytes_of_http2_between_requests_begin_no_head() {
        let limits = Limits::default();
        let activity = Activity::new(Protocol::Http2);
        drop(activity.begin());
        activity.bytes_read();
        let later = Instant::now() + limits.header_read;
        assert!(matches!(
            activity.verdict(&limits, later),
            Verdict::LookAgain(_)
        ));
    }
}
