use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use super::activity::Ticket;
use super::limits::ANSWER_STEP_BYTES;
use super::pace::Pace;

/// The body of a request. Fails with an `io::Error` of kind `TimedOut` when the peer sends too slowly or nothing,
/// which whoever answers maps to 408.
pub(crate) struct Received {
    inner: Incoming,
    pace: Pace,
}

impl Received {
    pub(crate) fn new(inner: Incoming, pace: Pace) -> Self {
        Self { inner, pace }
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                if let Some(Ok(frame)) = &frame {
                    this.pace.progress(frame.data_ref().map_or(0, Bytes::len));
                }
                Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)))
            }
            Poll::Pending => {
                ready!(this.pace.poll_too_slow(cx));
                let error =
                    io::Error::new(io::ErrorKind::TimedOut, "the request body comes too slowly");
                Poll::Ready(Some(Err(axum::Error::new(error))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of an answer: hands pieces of a bounded size to the transport and notes when it takes the next.
pub(crate) struct Sent {
    inner: Body,
    rest: Bytes,
    ticket: Ticket,
}

impl Sent {
    pub(crate) fn new(inner: Body, ticket: Ticket) -> Self {
        Self {
            inner,
            rest: Bytes::new(),
            ticket,
        }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        this.ticket.asked();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end_or_error => return Poll::Ready(end_or_error),
            }
        }
        let step = this.rest.split_to(this.rest.len().min(ANSWER_STEP_BYTES));
        this.ticket.handed();
        Poll::Ready(Some(Ok(Frame::data(step))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.size_hint();
        let rest = self.rest.len() as u64;
        let mut hint = SizeHint::new();
        // The upper bound first: `set_lower` refuses to pass it.
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(inner.lower().saturating_add(rest));
        hint
    }
}
