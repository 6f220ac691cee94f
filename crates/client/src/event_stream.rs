//! The event feed as it happens: server-sent events, read by one request that is held open.
//!
//! A connection that is lost, or says nothing for too long, is made anew behind the last event that was handed out, so
//! that none is lost and none comes twice.

use bailee_api::Event;
use reqwest::header::{ACCEPT, HeaderName};

use crate::transport::{Opened, decode};
use crate::{Client, Error, EventQuery, Result, RetryPolicy, limit};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Events as they happen. It has no end but an error that no other try mends.
pub struct EventStream {
    client: Client,
    query: EventQuery,
    /// Everything up to this sequence was handed out, or is not wanted.
    last: u64,
    connection: Option<Connection>,
    /// Tries since the server last said something.
    retries: u32,
    has_begun: bool,
}

impl EventStream {
    /// Nothing is sent yet.
    pub(crate) fn new(client: Client, query: EventQuery, after: u64) -> Self {
        Self {
            client,
            query,
            last: after,
            connection: None,
            retries: 0,
            has_begun: false,
        }
    }

    /// The next event. The first connection is tried as any call is; one that is lost later is made anew until it
    /// stands, at growing intervals, unless the client never tries again.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            let error = match self.try_next().await {
                Ok(event) => return Ok(event),
                Err(error) => error,
            };
            self.connection = None;
            let waiting = self.client.with_retry(self.policy());
            waiting.pause_or_fail(error, self.retries).await?;
            self.retries = self.retries.saturating_add(1);
        }
    }

    fn policy(&self) -> RetryPolicy {
        let policy = self.client.retry;
        if !self.has_begun || policy.max_retries == 0 {
            return policy;
        }
        RetryPolicy {
            max_retries: u32::MAX,
            ..policy
        }
    }

    async fn try_next(&mut self) -> Result<Event> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        loop {
            let block = connection.block().await?;
            if std::mem::replace(&mut connection.has_spoken, true) || !block.data.is_empty() {
                // What says more than where it begins is no connection that ends as soon as it is made.
                self.retries = 0;
            }
            if block.data.is_empty() {
                let sequence = block.id.as_deref().and_then(|id| id.parse().ok());
                self.last = self.last.max(sequence.unwrap_or(0));
                continue;
            }
            let event: Event = decode(block.data.as_bytes())?;
            if event.sequence > self.last {
                self.last = event.sequence;
                self.connection = Some(connection);
                return Ok(event);
            }
        }
    }

    async fn connect(&mut self) -> Result<Connection> {
        let query = EventQuery {
            after: Some(self.last),
            limit: None,
            wait_seconds: None,
            ..self.query.clone()
        };
        let call = query
            .call("/events/stream")
            .header(ACCEPT, "text/event-stream")?
            .header(LAST_EVENT_ID, &self.last.to_string())?;
        let opened = self.client.open_once(&call, self.retries).await?;
        self.has_begun = true;
        Ok(Connection {
            opened,
            unread: Vec::new(),
            has_spoken: false,
        })
    }
}

/// One answer that does not end by itself.
struct Connection {
    opened: Opened,
    /// What came and is no whole block yet.
    unread: Vec<u8>,
    /// Whether a block has come.
    has_spoken: bool,
}

impl Connection {
    /// The next block. What is no whole one when the connection ends did not come.
    async fn block(&mut self) -> Result<Block> {
        loop {
            if let Some(block) = take_block(&mut self.unread) {
                return Ok(block);
            }
            if self.unread.len() > limit::EVENT_BYTES {
                return Err(Error::usage("an event is too large to be held in memory"));
            }
            match self.opened.chunk_within(limit::STREAM_SILENCE).await? {
                Some(chunk) => self.unread.extend_from_slice(&chunk),
                None => return Err(self.opened.ended()),
            }
        }
    }
}

/// What server-sent events tell at once, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Block {
    id: Option<String>,
    data: String,
}

/// Takes the first whole block off, if there is one. Blocks end with an empty line.
fn take_block(unread: &mut Vec<u8>) -> Option<Block> {
    let mut start = 0;
    let mut block = Block::default();
    loop {
        let rest = unread.get(start..)?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        let line = String::from_utf8_lossy(rest.get(..length)?);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        start += length + 1;
        if line.is_empty() {
            unread.drain(..start);
            return Some(block);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => block.id = Some(value.to_owned()),
            "data" => {
                if !block.data.is_empty() {
                    block.data.push('\n');
                }
                block.data.push_str(value);
            }
            // Comments keep the connection alive; other fields are of no use here.
            _ => {}
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn blocks(text: &str) -> (Vec<Block>, String) {
        let mut unread = text.as_bytes().to_vec();
        let blocks = std::iter::from_fn(|| take_block(&mut unread)).collect();
        (blocks, String::from_utf8(unread).unwrap())
    }

    fn block(id: Option<&str>, data: &str) -> Block {
        Block {
            id: id.map(str::to_owned),
            data: data.to_owned(),
        }
    }

    #[test]
    fn blocks_are_read_whole() {
        let text = "id: 7\ndata: {\"a\":\ndata: 1}\n\n: still here\n\nid:8\r\nretry: 3\r\n\r\nid: 9\ndata: {";
        let (blocks, rest) = blocks(text);
        assert_eq!(
            blocks,
            [
                block(Some("7"), "{\"a\":\n1}"),
                block(None, ""),
                block(Some("8"), "")
            ]
        );
        assert_eq!(rest, "id: 9\ndata: {");
    }
}
