//! Writing a file in one request, from its first byte to its last: there is nothing to go on from.

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use reqwest::{RequestBuilder, Response};

use super::client::HttpClient;
use super::sending::Sending;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

/// A file on its way in one request. Dropped before [`Whole::finish`], the request is torn off.
pub(crate) struct Whole {
    client: HttpClient,
    /// Until it is begun.
    request: Option<RequestBuilder>,
    /// What is held of a small file until then.
    held: BytesMut,
    sending: Option<Sending>,
    size_bytes: Option<u64>,
    taken_bytes: u64,
}

impl Whole {
    /// A body for `request`, of `size_bytes` if that is known.
    pub(crate) fn new(
        client: &HttpClient,
        request: RequestBuilder,
        size_bytes: Option<u64>,
    ) -> Self {
        Self {
            client: client.clone(),
            request: Some(request),
            held: BytesMut::new(),
            sending: None,
            size_bytes,
            taken_bytes: 0,
        }
    }

    pub(crate) fn taken_bytes(&self) -> u64 {
        self.taken_bytes
    }

    /// Takes the next bytes. False if the far system has answered already: [`Whole::finish`] tells what.
    pub(crate) async fn give(&mut self, bytes: Bytes) -> Result<bool> {
        self.taken_bytes += bytes.len() as u64;
        if self.size_bytes.is_some_and(|size| self.taken_bytes > size) {
            return Err(self.other_size());
        }
        if let Some(sending) = &mut self.sending {
            return sending.give(bytes).await;
        }
        if self.held.len() + bytes.len() <= limit::SMALL_BODY_BYTES_MAX {
            self.held.extend_from_slice(&bytes);
            return Ok(true);
        }
        let request = self.request.take().ok_or_else(used)?;
        let mut sending = Sending::begin(&self.client, request, self.size_bytes);
        let held = std::mem::take(&mut self.held).freeze();
        let is_taken = sending.give(held).await? && sending.give(bytes).await?;
        self.sending = Some(sending);
        Ok(is_taken)
    }

    /// Sends the rest and gives the answer, whatever its status.
    pub(crate) async fn finish(mut self) -> Result<Response> {
        let sending = self.sending.take();
        let is_short = self.size_bytes.is_some_and(|size| size != self.taken_bytes);
        match sending {
            // What the far system had to say against it comes first.
            Some(sending) if !is_short || sending.is_cut() => sending.end().await,
            _ if is_short => Err(self.other_size()),
            _ => {
                let request = self.request.take().ok_or_else(used)?;
                // Said also of nothing, which some servers otherwise take for a request without a body.
                let request = request
                    .header(CONTENT_LENGTH, self.held.len())
                    .body(std::mem::take(&mut self.held).freeze());
                let answer = self.client.send_patiently(request);
                tokio::time::timeout(limit::FAR_WORK_TIME_MAX, answer)
                    .await
                    .map_err(|_| Fault::timeout("the far system's answer to what was sent"))?
            }
        }
    }

    fn other_size(&self) -> Fault {
        let announced = self.size_bytes.unwrap_or_default();
        let message = format!(
            "the file was announced with {announced} bytes and has another size ({} were given)",
            self.taken_bytes
        );
        Fault::new(FaultKind::Invalid, message)
    }
}

fn used() -> Fault {
    Fault::new(FaultKind::Invalid, "the file has been sent already")
}
