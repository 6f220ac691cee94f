//! A body that is sent while it is being made.
//!
//! It has an end only when [`Sending::end`] says so. Dropped before, the request is torn off, so that the far system
//! never takes what came for the whole.

use bytes::Bytes;
use futures::stream as streams;
use http::header::CONTENT_LENGTH;
use reqwest::{Body, RequestBuilder, Response};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::client::HttpClient;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

enum Message {
    Piece(Bytes),
    End,
}

/// A request whose body is given piece by piece.
pub(crate) struct Sending {
    messages: mpsc::Sender<Message>,
    request: JoinHandle<Result<Response>>,
    /// The request ended before its body did.
    is_cut: bool,
    /// What is still to come of a body whose length was announced: without it, nobody waits for its end.
    left_bytes: Option<u64>,
}

impl Sending {
    /// Begins `request` with a body of `length` bytes, or of as many as come.
    pub(crate) fn begin(
        client: &HttpClient,
        mut request: RequestBuilder,
        length: Option<u64>,
    ) -> Self {
        let (messages, taken) = mpsc::channel(limit::BODY_PIECES_WAITING_MAX);
        if let Some(length) = length {
            request = request.header(CONTENT_LENGTH, length);
        }
        let request = request.body(Body::wrap_stream(streams::try_unfold(taken, next)));
        let client = client.clone();
        Self {
            messages,
            request: tokio::spawn(async move { client.send_patiently(request).await }),
            is_cut: false,
            left_bytes: length,
        }
    }

    /// Sends `bytes`; waits while enough are under way. False if the request has ended already: [`Sending::end`] tells
    /// how.
    pub(crate) async fn give(&mut self, mut bytes: Bytes) -> Result<bool> {
        while !bytes.is_empty() && !self.is_cut {
            let piece = bytes.split_to(bytes.len().min(limit::BODY_PIECE_BYTES_MAX));
            self.left_bytes = self
                .left_bytes
                .map(|left| left.saturating_sub(piece.len() as u64));
            self.message(Message::Piece(piece)).await?;
        }
        Ok(!self.is_cut)
    }

    /// Whether the request ended before its body did.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Ends the body and waits for the answer, whatever its status; one that says success before the end is none.
    pub(crate) async fn end(mut self) -> Result<Response> {
        if !self.is_cut && self.left_bytes != Some(0) {
            self.message(Message::End).await?;
        }
        let answer = timeout(limit::FAR_WORK_TIME_MAX, &mut self.request)
            .await
            .map_err(|_| Fault::timeout("the far system's answer to what was sent"))?
            .map_err(|error| Fault::new(FaultKind::Io, "a request was cut off").because(error))??;
        if self.is_cut && answer.status().is_success() {
            return Err(Fault::protocol(
                "the far system took a body before it had all of it",
            ));
        }
        Ok(answer)
    }

    async fn message(&mut self, message: Message) -> Result<()> {
        let given = timeout(limit::IDLE_TIME_MAX, self.messages.send(message))
            .await
            .map_err(|_| Fault::timeout("sending to the far system"))?;
        self.is_cut = given.is_err();
        Ok(())
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.request.abort();
    }
}

async fn next(
    mut taken: mpsc::Receiver<Message>,
) -> Result<Option<(Bytes, mpsc::Receiver<Message>)>> {
    match taken.recv().await {
        Some(Message::Piece(piece)) => Ok(Some((piece, taken))),
        Some(Message::End) => Ok(None),
        None => Err(Fault::new(
            FaultKind::ConnectionLost,
            "the sender gave up before the end",
        )),
    }
}
