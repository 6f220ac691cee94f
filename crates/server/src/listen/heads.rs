//! Finds request heads that could be read in two ways.
//!
//! A head with both `Content-Length` and `Transfer-Encoding` is how requests are smuggled past a proxy that believes the
//! other one (RFC 9112 §6.1). hyper believes `Transfer-Encoding`, and drops the length before anybody could see it. So
//! the bytes are followed on their way to hyper: only lines are told apart here, and only as far as the framing needs.
//! What hyper will not take is not followed further, since the connection ends there.

use http::HeaderValue;

/// What is kept of a line: names and numbers that matter are far shorter.
const LINE_BYTES_KEPT: usize = 128;

/// Follows the requests of an HTTP/1 connection.
pub(crate) struct Heads {
    within: Within,
    line: Vec<u8>,
    requests: u64,
    head: Head,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Head,
    /// So many bytes that are not looked at.
    Content(u64),
    PieceSize,
    /// Likewise, with the end of line behind them.
    Piece(u64),
    Trailers,
    /// Nothing more is known.
    Lost,
}

#[derive(Default)]
struct Head {
    is_begun: bool,
    has_coding: bool,
    length: Option<Vec<u8>>,
}

/// A head that says its length twice.
pub(crate) struct Ambiguous {
    /// The request, counted from 1.
    pub(crate) request: u64,
    /// What hyper does not tell.
    pub(crate) length: HeaderValue,
}

impl Heads {
    pub(crate) fn new() -> Self {
        Self {
            within: Within::Head,
            line: Vec::new(),
            requests: 0,
            head: Head::default(),
        }
    }

    /// Follows `bytes`. Returns the first head in them that is ambiguous; nothing is followed after it.
    pub(crate) fn follow(&mut self, mut bytes: &[u8]) -> Option<Ambiguous> {
        while !bytes.is_empty() {
            match &mut self.within {
                Within::Lost => return None,
                Within::Content(left) | Within::Piece(left) => {
                    let skipped =
                        usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    *left -= skipped as u64;
                    bytes = bytes.get(skipped..).unwrap_or_default();
                    self.within = match self.within {
                        Within::Content(0) => Within::Head,
                        Within::Piece(0) => Within::PieceSize,
                        unfinished => unfinished,
                    };
                }
                Within::Head | Within::PieceSize | Within::Trailers => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    let room = LINE_BYTES_KEPT - self.line.len();
                    self.line.extend(part.iter().take(room));
                    bytes = rest.get(1..).unwrap_or_default();
                    if end.is_some() {
                        let line = std::mem::take(&mut self.line);
                        let ambiguous = self.end_line(line.strip_suffix(b"\r").unwrap_or(&line));
                        if ambiguous.is_some() {
                            return ambiguous;
                        }
                    }
                }
            }
        }
        None
    }

    fn end_line(&mut self, line: &[u8]) -> Option<Ambiguous> {
        match self.within {
            Within::PieceSize => {
                self.within = match piece_bytes(line) {
                    Some(0) => Within::Trailers,
                    Some(bytes) => Within::Piece(bytes.saturating_add(2)),
                    None => Within::Lost,
                };
            }
            Within::Trailers if line.is_empty() => self.within = Within::Head,
            Within::Head if !line.is_empty() => self.head.line(line),
            // Empty lines before a head are passed over, as hyper does.
            Within::Head if self.head.is_begun => {
                self.requests += 1;
                let head = std::mem::take(&mut self.head);
                let length = head.length.as_deref();
                self.within = match (head.has_coding, length) {
                    (true, None) => Within::PieceSize,
                    (true, Some(length)) => {
                        self.within = Within::Lost;
                        return Some(Ambiguous {
                            request: self.requests,
                            length: HeaderValue::from_bytes(length)
                                .unwrap_or(HeaderValue::from_static("0")),
                        });
                    }
                    (false, None) => Within::Head,
                    (false, Some(length)) => match decimal(length) {
                        Some(0) => Within::Head,
                        Some(bytes) => Within::Content(bytes),
                        None => Within::Lost,
                    },
                };
            }
            _ => {}
        }
        None
    }
}

impl Head {
    fn line(&mut self, line: &[u8]) {
        if !std::mem::replace(&mut self.is_begun, true) {
            // The request line.
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        let (name, value) = line.split_at(colon);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.has_coding = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let value = value.get(1..).unwrap_or_default();
            self.length = Some(value.trim_ascii().to_vec());
        }
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok()
}

/// The size of a piece, without its extensions.
fn piece_bytes(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?;
    let digits = std::str::from_utf8(digits.trim_ascii()).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str =
        "POST /a HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 5\r\nTransfer-Encoding: chunked\r\n\r\n";

    /// Number of the ambiguous request, the bytes coming in pieces of `piece_bytes`.
    fn found(text: &str, piece_bytes: usize) -> Option<(u64, HeaderValue)> {
        let mut heads = Heads::new();
        let mut pieces = text.as_bytes().chunks(piece_bytes);
        let found = pieces.find_map(|piece| heads.follow(piece));
        found.map(|found| (found.request, found.length))
    }

    #[test]
    fn a_head_with_two_lengths_is_found_behind_any_other_request() {
        let before = [
            "",
            "\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 33\r\n\r\nA: b\r\nTransfer-Encoding: chunked\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\n\r\n\r\n\r\n1F\r\nContent-Length: 4\r\n\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
        ];
        for (at, before) in before.into_iter().enumerate() {
            let number = if at < 2 { 1 } else { 2 };
            for piece_bytes in [1, 2, 7, 1000] {
                let text = format!("{before}{BOTH}");
                let wanted = Some((number, HeaderValue::from_static("5")));
                assert_eq!(found(&text, piece_bytes), wanted, "{text:?}");
            }
        }
    }

    #[test]
    fn either_length_alone_is_none() {
        let long = "x".repeat(5000);
        let text = format!(
            "POST /{long} HTTP/1.1\r\nContent-Length: 3\r\nB: {long}\r\n\r\nabcPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        );
        assert_eq!(found(&text, 11), None);
        assert_eq!(
            found(&format!("{text}{BOTH}"), 11).map(|found| found.0),
            Some(3)
        );
    }

    #[test]
    fn what_cannot_be_followed_is_left_to_hyper() {
        for text in [
            "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert_eq!(found(&format!("{text}{BOTH}"), 1000), None);
        }
    }
}
