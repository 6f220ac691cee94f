//! Request bodies: as a stream of file bytes, or collected up to a bound.

use std::error::Error as StdError;
use std::io;

use axum::body::Body;
use bailee_core::ByteStream;
use bailee_model::{Error, ErrorKind};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;

/// The bytes of a file on their way in.
pub(crate) fn stream(body: Body) -> ByteStream {
    TryStreamExt::map_err(body.into_data_stream(), |error| broken(&error)).boxed()
}

/// A whole body of at most `bytes_max` bytes.
pub(crate) async fn collect(body: Body, bytes_max: usize) -> Result<Bytes, Error> {
    let limited = http_body_util::Limited::new(body, bytes_max);
    match limited.collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large(bytes_max)),
        Err(error) => Err(broken(&*error)),
    }
}

fn too_large(bytes_max: usize) -> Error {
    Error::new(
        ErrorKind::BodyTooLarge,
        format!("The body may have at most {bytes_max} bytes."),
    )
}

/// `Content-Length`, where the client sent one.
pub(crate) fn declared_size(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Whether the head says its body's length in two ways: whoever was on its way may have believed the other
/// (RFC 9112 §6.1).
pub(crate) fn is_ambiguous(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_LENGTH) && headers.contains_key(header::TRANSFER_ENCODING)
}

/// Refuses a body whose declared length is over `bytes_max` before any of it is read.
pub(crate) fn check_declared(headers: &HeaderMap, bytes_max: usize) -> Result<(), Error> {
    match declared_size(headers) {
        Some(bytes) if bytes > bytes_max as u64 => Err(too_large(bytes_max)),
        _ => Ok(()),
    }
}

/// What a body that broke off means: its sender was too slow, or went away.
pub(crate) fn broken(error: &(dyn StdError + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let is_late = error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        if is_late {
            return Error::new(
                ErrorKind::RequestTimeout,
                "The request body came too slowly.",
            );
        }
        cause = error.source();
    }
    Error::new(
        ErrorKind::MalformedRequest,
        "The request body broke off before its end.",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_slow_body_and_a_cut_one_are_told_apart() {
        let slow = axum::Error::new(io::Error::new(io::ErrorKind::TimedOut, "slow"));
        assert_eq!(broken(&slow).kind(), ErrorKind::RequestTimeout);
        let cut = axum::Error::new(io::Error::new(io::ErrorKind::UnexpectedEof, "cut"));
        assert_eq!(broken(&cut).kind(), ErrorKind::MalformedRequest);
    }

    #[test]
    fn a_declared_length_is_checked_first() {
        let mut headers = HeaderMap::new();
        check_declared(&headers, 5).unwrap();
        headers.insert("content-length", "6".parse().unwrap());
        let error = check_declared(&headers, 5).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BodyTooLarge);
    }
}
