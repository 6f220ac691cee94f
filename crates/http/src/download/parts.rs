//! Several ranges in one answer: `multipart/byteranges` (RFC 9110, 14.6).

use std::ops::Range;

use bailee_core::{ByteStream, OpenFile};
use bytes::Bytes;
use futures::{StreamExt as _, stream};

use super::content_range;

/// The parts of an answer, planned to the byte.
pub(super) struct Plan {
    parts: Vec<(String, Range<u64>)>,
    end: String,
    boundary: String,
}

impl Plan {
    pub(super) fn new(ranges: Vec<Range<u64>>, size: u64, kind: &str, boundary: &str) -> Self {
        let parts = ranges
            .into_iter()
            .map(|range| {
                let place = content_range(&range, size);
                let head = format!(
                    "\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: {place}\r\n\r\n"
                );
                (head, range)
            })
            .collect();
        Self {
            parts,
            end: format!("\r\n--{boundary}--\r\n"),
            boundary: boundary.to_owned(),
        }
    }

    /// Bytes of the whole answer.
    pub(super) fn size_bytes(&self) -> u64 {
        let parts = self.parts.iter();
        let parts: u64 = parts
            .map(|(head, range)| head.len() as u64 + (range.end - range.start))
            .sum();
        parts + self.end.len() as u64
    }

    pub(super) fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// The parts, each opened when its turn comes.
    pub(super) fn stream(self, open: OpenFile) -> ByteStream {
        let open = std::sync::Arc::new(open);
        let parts = stream::iter(self.parts).flat_map(move |(head, range)| {
            let open = std::sync::Arc::clone(&open);
            let head = stream::once(async move { Ok(Bytes::from(head)) });
            let bytes = stream::once(async move { open.stream(range).await });
            let bytes = bytes.flat_map(|opened| match opened {
                Ok(bytes) => bytes,
                Err(error) => stream::once(async move { Err(error) }).boxed(),
            });
            head.chain(bytes)
        });
        let end = stream::once(async move { Ok(Bytes::from(self.end)) });
        parts.chain(end).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_heads_bytes_and_end() {
        let plan = Plan::new(vec![0..2, 20..26], 26, "text/csv", "b");
        let mut whole = String::new();
        for (head, range) in &plan.parts {
            whole.push_str(head);
            whole.extend(range.clone().map(|_| 'x'));
        }
        whole.push_str(&plan.end);
        assert_eq!(plan.size_bytes(), whole.len() as u64);
        assert!(whole.contains("Content-Range: bytes 20-25/26\r\n\r\nxxxxxx\r\n--b--"));
    }
}
