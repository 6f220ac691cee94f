//! Conditions of a download, in the order of RFC 9110, 13.2.2.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailee_model::{Error, File};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::extract::tags;

/// What a client may have seen of a file before.
pub(super) struct Validators {
    etag: String,
    /// Whole seconds: HTTP dates know no smaller unit.
    modified: SystemTime,
}

/// What the conditions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They hold, or there are none.
    Go,
    /// The client has these bytes already: 304.
    NotModified,
    /// It asked for other bytes: 412.
    Failed,
}

impl Validators {
    /// The bytes of a version never change, so they are as old as the version.
    pub(super) fn of(file: &File) -> Self {
        let seconds = u64::try_from(file.created_at.seconds()).unwrap_or(0);
        Self {
            etag: file.hash.clone(),
            modified: UNIX_EPOCH + Duration::from_secs(seconds),
        }
    }

    /// Headers of every answer about the file, 304 included.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.etag)) {
            headers.insert(header::ETAG, value);
        }
        if let Ok(value) = HeaderValue::from_str(&httpdate::fmt_http_date(self.modified)) {
            headers.insert(header::LAST_MODIFIED, value);
        }
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-transform"),
        );
        headers
    }
}

/// Weighs everything but `Range`.
pub(super) fn judge(headers: &HeaderMap, file: &Validators) -> Result<Verdict, Error> {
    if headers.contains_key(header::IF_MATCH) {
        let tags = tags(headers, &header::IF_MATCH)?;
        let is_same = |tag: &crate::extract::Tag| {
            tag.value == "*" || (!tag.is_weak && tag.value == file.etag)
        };
        if !tags.iter().any(is_same) {
            return Ok(Verdict::Failed);
        }
    } else if let Some(date) = date(headers, &header::IF_UNMODIFIED_SINCE)
        && file.modified > date
    {
        return Ok(Verdict::Failed);
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        let tags = tags(headers, &header::IF_NONE_MATCH)?;
        if tags
            .iter()
            .any(|tag| tag.value == "*" || tag.value == file.etag)
        {
            return Ok(Verdict::NotModified);
        }
    } else if let Some(date) = date(headers, &header::IF_MODIFIED_SINCE)
        && file.modified <= date
    {
        return Ok(Verdict::NotModified);
    }
    Ok(Verdict::Go)
}

/// Whether `Range` is obeyed: it is, unless `If-Range` names other bytes. Only a strong validator can say so.
pub(super) fn range_counts(headers: &HeaderMap, file: &Validators) -> bool {
    let Some(value) = headers.get(header::IF_RANGE) else {
        return true;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    match text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(tag) => tag == file.etag,
        None => httpdate::parse_http_date(text).is_ok_and(|date| date == file.modified),
    }
}

/// A date, if it is one: others are ignored, as the standard demands.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn file() -> Validators {
        Validators {
            etag: "aa".to_owned(),
            modified: httpdate::parse_http_date(SAME).unwrap(),
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    const SAME: &str = "Sat, 21 Nov 2026 09:14:00 GMT";
    const BEFORE: &str = "Sat, 21 Nov 2026 09:13:59 GMT";

    #[test]
    fn conditions_are_weighed_in_order() {
        for (pairs, expected) in [
            (&[][..], Verdict::Go),
            (&[("if-match", "\"aa\"")], Verdict::Go),
            (&[("if-match", "*")], Verdict::Go),
            (&[("if-match", "W/\"aa\"")], Verdict::Failed),
            (&[("if-match", "\"bb\"")], Verdict::Failed),
            (
                &[("if-none-match", "\"bb\", W/\"aa\"")],
                Verdict::NotModified,
            ),
            (&[("if-none-match", "\"bb\"")], Verdict::Go),
            (&[("if-modified-since", SAME)], Verdict::NotModified),
            (&[("if-modified-since", BEFORE)], Verdict::Go),
            (&[("if-modified-since", "yesterday")], Verdict::Go),
            (&[("if-unmodified-since", BEFORE)], Verdict::Failed),
            (&[("if-unmodified-since", SAME)], Verdict::Go),
            // An entity tag outranks a date.
            (
                &[("if-match", "\"aa\""), ("if-unmodified-since", BEFORE)],
                Verdict::Go,
            ),
            (
                &[("if-none-match", "\"bb\""), ("if-modified-since", SAME)],
                Verdict::Go,
            ),
        ] {
            assert_eq!(
                judge(&headers(pairs), &file()).unwrap(),
                expected,
                "{pairs:?}"
            );
        }
        assert!(judge(&headers(&[("if-match", "aa")]), &file()).is_err());
    }

    #[test]
    fn only_a_strong_validator_lets_a_range_count() {
        for (value, expected) in [
            ("\"aa\"", true),
            ("\"bb\"", false),
            ("W/\"aa\"", false),
            (SAME, true),
            (BEFORE, false),
            ("nonsense", false),
        ] {
            let counts = range_counts(&headers(&[("if-range", value)]), &file());
            assert_eq!(counts, expected, "{value}");
        }
        assert!(range_counts(&HeaderMap::new(), &file()));
    }
}
