//! Reading from an offset on, of the content that was meant, from servers that know ranges and from those that do not.
//!
//! The answer decides, not what the server says of itself: 206 must begin where it was asked to, 200 brings everything
//! and is skipped up to the offset (all of it comes over the line), 416 is the end. Wrong bytes never come out.

use std::time::UNIX_EPOCH;

use bailee_model::Timestamp;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future, stream as streams};
use http::StatusCode;
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, IF_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
    LAST_MODIFIED, RANGE,
};
use reqwest::{RequestBuilder, Response};

use super::answer::{entity_tag, expect, header};
use super::body::stream;
use super::client::HttpClient;
use crate::connector::{ByteStream, ReadFrom};
use crate::fault::{Fault, FaultKind, Result, far_words};
use crate::path::RemotePath;

/// Codings under which files are stored, and the endings by which they are told from a file that was packed for the way.
const STORED_CODINGS: [(&str, &[&str]); 7] = [
    ("gzip", &[".gz", ".tgz"]),
    ("x-gzip", &[".gz", ".tgz"]),
    ("bzip2", &[".bz2"]),
    ("x-bzip2", &[".bz2"]),
    ("compress", &[".z"]),
    ("br", &[".br"]),
    ("zstd", &[".zst"]),
];

/// What an answer's head tells of a file.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) size_bytes: Option<u64>,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) version: Option<String>,
}

impl Head {
    pub(crate) fn of(answer: &Response) -> Self {
        let modified = header(answer, LAST_MODIFIED);
        Self {
            size_bytes: header(answer, CONTENT_LENGTH).and_then(|text| text.parse().ok()),
            modified: modified.and_then(timestamp),
            version: entity_tag(answer).or_else(|| modified.map(str::to_owned)),
        }
    }
}

/// The moment that an HTTP date names.
pub(crate) fn timestamp(date: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(date)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?;
    Some(Timestamp::from_ms(i64::try_from(since.as_millis()).ok()?))
}

/// Sends `request`, a GET of the file `path`, and gives its bytes as `from` says.
pub(crate) async fn fetch(
    client: &HttpClient,
    request: RequestBuilder,
    path: &RemotePath,
    from: &ReadFrom,
) -> Result<ByteStream> {
    let answer = client.send(conditional(request, from)).await?;
    match answer.status() {
        StatusCode::PRECONDITION_FAILED if from.version.is_some() => return Err(changed(path)),
        StatusCode::RANGE_NOT_SATISFIABLE if from.offset > 0 => return beyond(&answer, path, from),
        _ => {}
    }
    let answer = expect(answer, &format!("reading `{path}`")).await?;
    if is_other(&answer, from) {
        return Err(changed(path));
    }
    check_coding(&answer, path)?;
    match answer.status() {
        StatusCode::OK => Ok(skip(stream(answer), from.offset)),
        StatusCode::NO_CONTENT => Ok(streams::empty().boxed()),
        StatusCode::PARTIAL_CONTENT if from.offset > 0 => {
            let range = ContentRange::of(&answer)?;
            if range.first != from.offset {
                return Err(Fault::protocol(format!(
                    "the far system was asked for byte {} on and sent byte {} on",
                    from.offset, range.first
                )));
            }
            Ok(exactly(stream(answer), range))
        }
        status => Err(Fault::protocol(format!(
            "the far system answered {status} where that has no meaning"
        ))),
    }
}

fn conditional(mut request: RequestBuilder, from: &ReadFrom) -> RequestBuilder {
    if from.offset > 0 {
        request = request.header(RANGE, format!("bytes={}-", from.offset));
    }
    let Some(version) = &from.version else {
        return request;
    };
    let condition = if version.starts_with('"') {
        IF_MATCH
    } else {
        IF_UNMODIFIED_SINCE
    };
    request = request.header(condition, version);
    if from.offset > 0 {
        request = request.header(IF_RANGE, version);
    }
    request
}

/// Whether an answer says that it is of another content than `from` means. Servers need not heed conditions.
fn is_other(answer: &Response, from: &ReadFrom) -> bool {
    let Some(version) = &from.version else {
        return false;
    };
    let now = if version.starts_with('"') {
        entity_tag(answer)
    } else {
        header(answer, LAST_MODIFIED).map(str::to_owned)
    };
    now.is_some_and(|now| now != *version)
}

fn changed(path: &RemotePath) -> Fault {
    Fault::new(
        FaultKind::Changed,
        format!("`{path}` has other content now than when it was first read"),
    )
}

/// 416: the file ends before the offset, or there. One that is longer by the server's own word is a contradiction.
fn beyond(answer: &Response, path: &RemotePath, from: &ReadFrom) -> Result<ByteStream> {
    if is_other(answer, from) {
        return Err(changed(path));
    }
    let size = header(answer, CONTENT_RANGE)
        .and_then(|text| text.strip_prefix("bytes */"))
        .and_then(|text| text.parse::<u64>().ok());
    match size {
        Some(size) if size > from.offset => Err(Fault::protocol(
            "the far system refused a range that the file has by its own word",
        )),
        _ => Ok(streams::empty().boxed()),
    }
}

/// Bytes that were packed for the way are not the file's, and unpacking them would be a guess.
fn check_coding(answer: &Response, path: &RemotePath) -> Result<()> {
    let Some(coding) = header(answer, CONTENT_ENCODING) else {
        return Ok(());
    };
    let coding = coding.trim().to_ascii_lowercase();
    let name = path.name().unwrap_or_default().to_lowercase();
    let is_stored = STORED_CODINGS.iter().any(|(known, endings)| {
        *known == coding && endings.iter().any(|ending| name.ends_with(ending))
    });
    if coding.is_empty() || coding == "identity" || is_stored {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Unsupported,
        format!(
            "the far system sends `{path}` as {}, though it was asked for the bytes as they are",
            far_words(&coding)
        ),
    ))
}

/// Without the first `count` bytes.
fn skip(bytes: ByteStream, count: u64) -> ByteStream {
    let mut left = count;
    bytes
        .try_filter_map(move |mut piece: Bytes| {
            let cut = left.min(piece.len() as u64);
            left -= cut;
            let rest = piece.split_off(cut as usize);
            future::ok((!rest.is_empty()).then_some(rest))
        })
        .boxed()
}

/// `Content-Range: bytes first-last/size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    last: u64,
    size: Option<u64>,
}

impl ContentRange {
    fn of(answer: &Response) -> Result<Self> {
        header(answer, CONTENT_RANGE)
            .and_then(Self::parse)
            .ok_or_else(|| Fault::protocol("the far system sent a part without saying which"))
    }

    fn parse(text: &str) -> Option<Self> {
        let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let size = match size {
            "*" => None,
            size => Some(size.parse().ok()?),
        };
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        let is_sound = first <= last && size.is_none_or(|size| last < size);
        is_sound.then_some(Self { first, last, size })
    }

    /// A server may send less than was asked for; then it goes on from there with the next try.
    fn is_to_the_end(self) -> bool {
        self.size.is_none_or(|size| self.last + 1 == size)
    }
}

/// Exactly the bytes of `range`, and a fault at the end if the file goes on behind it.
fn exactly(bytes: ByteStream, range: ContentRange) -> ByteStream {
    let left = (range.last - range.first).saturating_add(1);
    let state = (bytes, Some(left));
    streams::try_unfold(state, move |(mut bytes, left)| async move {
        let Some(left) = left else { return Ok(None) };
        match (bytes.try_next().await?, left) {
            (Some(piece), left) if piece.len() as u64 <= left => {
                let left = left - piece.len() as u64;
                Ok(Some((piece, (bytes, Some(left)))))
            }
            (Some(_), _) => Err(Fault::protocol(
                "the far system sent more bytes than it announced",
            )),
            (None, 0) if range.is_to_the_end() => Ok(None),
            (None, _) => Err(Fault::new(
                FaultKind::ConnectionLost,
                "the far system sent only some of the bytes",
            )),
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        let parsed = ContentRange::parse("bytes 5-9/10").unwrap();
        assert_eq!((parsed.first, parsed.last, parsed.size), (5, 9, Some(10)));
        assert!(parsed.is_to_the_end());
        assert!(!ContentRange::parse("bytes 5-8/10").unwrap().is_to_the_end());
        assert!(ContentRange::parse("bytes 5-9/*").unwrap().is_to_the_end());
        for text in [
            "5-9/10",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes */10",
            "bytes 5-/10",
            "bytes 5-99999999999999999999999/*",
            "",
        ] {
            assert_eq!(ContentRange::parse(text), None, "{text}");
        }
        let all = ContentRange::parse("bytes 0-18446744073709551615/*").unwrap();
        assert!(all.is_to_the_end());
    }

    fn pieces(texts: &[&'static str]) -> ByteStream {
        streams::iter(texts.to_vec())
            .map(|text| Ok(Bytes::from_static(text.as_bytes())))
            .boxed()
    }

    async fn taken(bytes: ByteStream) -> Result<Vec<u8>> {
        Ok(bytes.try_collect::<Vec<_>>().await?.concat())
    }

    #[tokio::test]
    async fn skipping_and_counting_are_exact() {
        for (count, rest) in [(0, "abcdef"), (2, "cdef"), (3, "def"), (6, ""), (9, "")] {
            let skipped = skip(pieces(&["ab", "c", "", "def"]), count);
            assert_eq!(taken(skipped).await.unwrap(), rest.as_bytes());
        }
        let range = |text| ContentRange::parse(text).unwrap();
        let whole = exactly(pieces(&["ab", "c"]), range("bytes 2-4/5"));
        assert_eq!(taken(whole).await.unwrap(), b"abc");
        for (text, kind) in [
            ("bytes 2-5/6", FaultKind::ConnectionLost),
            ("bytes 2-3/4", FaultKind::Protocol),
            ("bytes 2-4/9", FaultKind::ConnectionLost),
        ] {
            let fault = taken(exactly(pieces(&["ab", "c"]), range(text)))
                .await
                .unwrap_err();
            assert_eq!(fault.kind(), &kind, "{text}");
        }
    }
}
