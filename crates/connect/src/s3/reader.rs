//! Reading: the bytes of one answer, which must be the stretch that was asked for, and as long as it says.

use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use reqwest::Response;

use crate::connector::ByteStream;
use crate::fault::Result;
use crate::http as web;
use crate::objects::{astray, exactly};

/// The bytes of an answer to a request for everything from `offset` on.
pub(super) fn stream(answer: Response, offset: u64) -> Result<ByteStream> {
    let length = web::header(&answer, CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    let bytes = match answer.status() {
        StatusCode::OK if offset == 0 => length,
        StatusCode::PARTIAL_CONTENT => {
            let range = web::header(&answer, CONTENT_RANGE).and_then(range);
            let (first, bytes) = range.ok_or_else(astray)?;
            let is_so = first == offset && length.is_none_or(|length| length == bytes);
            Some(bytes).filter(|_| is_so)
        }
        _ => None,
    };
    Ok(exactly(answer, bytes.ok_or_else(astray)?))
}

/// The first byte and the number of bytes of `bytes 5-9/10` or `bytes 5-9/*`, which reaches to the end.
fn range(text: &str) -> Option<(u64, u64)> {
    let (stretch, all) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = stretch.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let bytes = last.checked_sub(first)?.checked_add(1)?;
    let is_to_end = all == "*" || all.parse() == Ok(last.checked_add(1)?);
    is_to_end.then_some((first, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(range("bytes 5-9/10"), Some((5, 5)));
        assert_eq!(range("bytes 5-9/*"), Some((5, 5)));
        for bad in [
            "bytes 5-9/11",
            "bytes 9-5/10",
            "bytes */10",
            "5-9/10",
            "bytes 0-18446744073709551615/*",
        ] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }
}
