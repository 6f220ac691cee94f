//! Bodies that are too large to hold, either way.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream as streams};
use reqwest::{Body, Response};
use tokio::sync::mpsc;

use super::client::fault;
use crate::connector::ByteStream;
use crate::fault::Fault;

/// Pieces of a body that wait to be sent. Each is as large as its giver made it.
const PIECES_WAITING_MAX: usize = 4;

/// The body of `answer` as it comes. It must have as many bytes as its head says.
pub(crate) fn stream(answer: Response) -> ByteStream {
    answer.bytes_stream().map_err(fault).boxed()
}

/// The giving end of a request's body. Dropped, it ends the body; a body that was to be longer then fails.
pub(crate) struct Feed {
    pieces: mpsc::Sender<Result<Bytes, Fault>>,
}

/// A request's body that is given piece by piece while the request runs.
pub(crate) fn feed() -> (Feed, Body) {
    let (pieces, taken) = mpsc::channel(PIECES_WAITING_MAX);
    let body = streams::unfold(taken, |mut taken| async move {
        taken.recv().await.map(|piece| (piece, taken))
    });
    (Feed { pieces }, Body::wrap_stream(body))
}

impl Feed {
    /// Gives the next piece; waits while enough of them are under way. False if nobody takes it any more: the request
    /// has ended, and its answer says why.
    pub(crate) async fn give(&self, piece: Bytes) -> bool {
        self.pieces.send(Ok(piece)).await.is_ok()
    }

    /// Breaks the body off, so that the far system does not take what came for the whole.
    pub(crate) async fn break_off(self, why: Fault) {
        // If nobody takes it, the request is over already.
        let _ = self.pieces.send(Err(why)).await;
    }
}
