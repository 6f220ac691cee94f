use axum::extract::FromRequestParts;
use bailee_core::Precondition;
use bailee_model::{Error, ErrorKind};
use http::request::Parts;
use http::{HeaderMap, header};

use crate::problem::Failure;

/// `If-Match` and `If-None-Match: *` of a change.
pub(crate) struct Guard(pub(crate) Precondition);

impl<S: Sync> FromRequestParts<S> for Guard {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self(read(&parts.headers)?))
    }
}

fn read(headers: &HeaderMap) -> Result<Precondition, Error> {
    if headers.contains_key(header::IF_MATCH) {
        let tags = tags(headers, &header::IF_MATCH)?;
        // Weak tags never match strongly (RFC 9110, 13.1.1).
        let strong = tags.into_iter().filter(|tag| !tag.is_weak);
        return Ok(Precondition::IfMatch(strong.map(|tag| tag.value).collect()));
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        let tags = tags(headers, &header::IF_NONE_MATCH)?;
        if tags.iter().any(|tag| tag.value == "*") {
            return Ok(Precondition::IfNoneMatchAny);
        }
        return Err(Error::new(
            ErrorKind::MalformedRequest,
            "On a change, `If-None-Match` takes `*` only.",
        ));
    }
    Ok(Precondition::None)
}

/// One entity tag of a condition; `*` is the value `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// What stands between the quotes.
    pub(crate) value: String,
    /// Whether it began with `W/`.
    pub(crate) is_weak: bool,
}

/// The entity tags of a condition header (RFC 9110, 8.8.3). A tag may hold a comma, never a quote.
pub(crate) fn tags(headers: &HeaderMap, name: &http::HeaderName) -> Result<Vec<Tag>, Error> {
    let bad = || {
        Error::new(
            ErrorKind::MalformedRequest,
            format!("`{name}` is `*` or a list of quoted entity tags."),
        )
    };
    let mut found = Vec::new();
    for value in headers.get_all(name) {
        let mut rest = value.to_str().map_err(|_| bad())?.trim();
        if rest == "*" {
            found.push(Tag {
                value: "*".to_owned(),
                is_weak: false,
            });
            continue;
        }
        while !rest.is_empty() {
            let (is_weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let (value, after) = quoted
                .strip_prefix('"')
                .and_then(|inner| inner.split_once('"'))
                .ok_or_else(bad)?;
            found.push(Tag {
                value: value.to_owned(),
                is_weak,
            });
            rest = match after.trim_start().strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.trim().is_empty() => "",
                None => return Err(bad()),
            };
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn with(name: http::HeaderName, text: &str) -> Result<Precondition, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(name, text.parse().unwrap());
        read(&headers)
    }

    #[test]
    fn a_list_of_tags_is_read() {
        let read = with(header::IF_MATCH, "\"a\", W/\"b\" ,\"c,d\"").unwrap();
        let Precondition::IfMatch(tags) = read else {
            unreachable!("it is a list of tags")
        };
        assert_eq!(tags, ["a", "c,d"]);
        assert!(with(header::IF_MATCH, "a").is_err());
        assert!(with(header::IF_MATCH, "\"a\" \"b\"").is_err());
    }

    #[test]
    fn a_change_takes_if_none_match_for_everything_only() {
        let read = with(header::IF_NONE_MATCH, "*").unwrap();
        assert!(matches!(read, Precondition::IfNoneMatchAny));
        assert!(with(header::IF_NONE_MATCH, "\"a\"").is_err());
    }
}
