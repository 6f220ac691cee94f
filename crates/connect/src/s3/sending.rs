//! A request that takes its body while it runs.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Body;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::limits;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::{Feed, feed};
use crate::limit;

/// A request under way. Dropped, it is broken off, and the far side takes nothing of it.
pub(super) struct Sending<T> {
    feed: Feed,
    left_bytes: u64,
    request: AbortOnDropHandle<Result<T>>,
}

impl<T: Send + 'static> Sending<T> {
    /// Begins the request that `start` makes with a body of `length_bytes`. The request must state that length.
    pub(super) fn begin<F>(length_bytes: u64, start: impl FnOnce(Body) -> F) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (feed, body) = feed();
        let body = if length_bytes == 0 {
            Body::from(Bytes::new())
        } else {
            body
        };
        Self {
            feed,
            left_bytes: length_bytes,
            request: AbortOnDropHandle::new(tokio::spawn(start(body))),
        }
    }

    /// Gives what belongs to this body from the front of `bytes`, and says how many bytes it lacks then.
    pub(super) async fn give(&mut self, bytes: &mut Bytes) -> Result<u64> {
        while self.left_bytes > 0 && !bytes.is_empty() {
            let room = usize::try_from(self.left_bytes).unwrap_or(usize::MAX);
            let piece = bytes.split_to(room.min(bytes.len()).min(limits::PIECE_BYTES));
            let length = piece.len() as u64;
            match timeout(limit::IDLE_TIME_MAX, self.feed.give(piece)).await {
                Ok(true) => self.left_bytes -= length,
                Ok(false) => return Err(self.early_end().await),
                Err(_) => return Err(Fault::timeout("sending to the far system")),
            }
        }
        Ok(self.left_bytes)
    }

    /// The answer to a request that has its whole body.
    pub(super) async fn receipt(self, time_max: Duration) -> Result<T> {
        drop(self.feed);
        match timeout(time_max, self.request).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Fault::new(FaultKind::Io, "the request was broken off")),
            Err(_) => Err(Fault::timeout("the far system's answer")),
        }
    }

    /// Why nobody takes the body any more.
    async fn early_end(&mut self) -> Fault {
        match timeout(limits::PART_ANSWER_TIME_MAX, &mut self.request).await {
            Ok(Ok(Err(fault))) => fault,
            Ok(_) => Fault::protocol("the far system answered before it had everything"),
            Err(_) => Fault::timeout("the far system's answer"),
        }
    }
}
