//! Digests in headers (RFC 9530): base64 in the header, hex in JSON.

use aws_lc_rs::digest::{SHA256, digest};
use bailee_model::{Error, ErrorKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The digest of a whole file, whatever part of it a message carries.
pub(crate) const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
/// The digest of what a message carries.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// SHA-256 in lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// The SHA-256 that a digest header names; `None` where there is no such header or only digests of other kinds.
pub(crate) fn sha256_of(headers: &HeaderMap, name: &HeaderName) -> Result<Option<[u8; 32]>, Error> {
    let bad = || {
        Error::new(
            ErrorKind::MalformedRequest,
            format!("`{name}` is `sha-256=:<base64 of 32 bytes>:`."),
        )
    };
    for value in headers.get_all(name) {
        for member in value.to_str().map_err(|_| bad())?.split(',') {
            let (algorithm, text) = member.trim().split_once('=').ok_or_else(bad)?;
            if !algorithm.eq_ignore_ascii_case("sha-256") {
                continue;
            }
            let text = text
                .strip_prefix(':')
                .and_then(|rest| rest.strip_suffix(':'))
                .ok_or_else(bad)?;
            let bytes = STANDARD.decode(text).map_err(|_| bad())?;
            return bytes.try_into().map(Some).map_err(|_| bad());
        }
    }
    Ok(None)
}

/// `sha-256=:…:` for a hash in hex.
pub(crate) fn header_of(hash: &str) -> Option<HeaderValue> {
    let bytes = hex::decode(hash).ok()?;
    HeaderValue::from_str(&format!("sha-256=:{}:", STANDARD.encode(bytes))).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const HEX: &str = "6330f05349c4373a84fbc2393357b14bdba92493af4dc5af74d4a08aef2151b3";
    const HEADER: &str = "sha-256=:YzDwU0nENzqE+8I5M1exS9upJJOvTcWvdNSgiu8hUbM=:";

    fn read(text: &str) -> Result<Option<[u8; 32]>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(REPR_DIGEST, text.parse().unwrap());
        sha256_of(&headers, &REPR_DIGEST)
    }

    #[test]
    fn a_digest_reads_and_writes_as_in_the_wire_contract() {
        assert_eq!(header_of(HEX).unwrap(), HEADER);
        assert_eq!(hex::encode(read(HEADER).unwrap().unwrap()), HEX);
        let among = format!("md5=:YQ==:, {HEADER}");
        assert!(read(&among).unwrap().is_some());
    }

    #[test]
    fn other_algorithms_are_skipped_and_broken_ones_refused() {
        assert_eq!(read("sha-512=:YQ==:").unwrap(), None);
        assert!(read("sha-256=YQ==").is_err());
        assert!(read("sha-256=:YQ==:").is_err());
        assert!(read("nonsense").is_err());
    }
}
