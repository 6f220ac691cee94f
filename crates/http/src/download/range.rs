//! `Range` (RFC 9110, 14.2): one, several or suffix ranges of bytes.

use std::ops::Range;

use bailee_model::{Error, ErrorKind, limit};
use http::{HeaderMap, header};

/// What of a file is wanted. Ranges are half open and within the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// A stretch.
    One(Range<u64>),
    /// Several stretches that neither overlap nor touch.
    Many(Vec<Range<u64>>),
}

/// Reads the header for a file of `size` bytes. Units other than bytes are ignored, as the standard demands.
pub(super) fn read(headers: &HeaderMap, size: u64) -> Result<Wanted, Error> {
    let mut values = headers.get_all(header::RANGE).iter();
    let Some(value) = values.next() else {
        return Ok(Wanted::Whole);
    };
    if values.next().is_some() {
        return Err(malformed());
    }
    parse(value.to_str().map_err(|_| malformed())?, size)
}

fn parse(text: &str, size: u64) -> Result<Wanted, Error> {
    let (unit, list) = text.split_once('=').ok_or_else(malformed)?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ok(Wanted::Whole);
    }
    let specs = list
        .split(',')
        .map(str::trim)
        .filter(|spec| !spec.is_empty())
        .map(spec)
        .collect::<Result<Vec<_>, _>>()?;
    if specs.is_empty() {
        return Err(malformed());
    }
    if specs.len() > limit::RANGES_MAX {
        let detail = format!("At most {} ranges in one request.", limit::RANGES_MAX);
        return Err(Error::new(ErrorKind::RangeNotSatisfiable, detail));
    }
    let ranges: Vec<_> = specs.iter().filter_map(|spec| spec.within(size)).collect();
    let mut merged = merge(ranges);
    match merged.len() {
        0 => Err(Error::new(
            ErrorKind::RangeNotSatisfiable,
            "The range lies outside the file.",
        )),
        1 => Ok(merged.pop().map_or(Wanted::Whole, Wanted::One)),
        _ => Ok(Wanted::Many(merged)),
    }
}

#[derive(Clone, Copy)]
enum Spec {
    /// `20-` and `20-25`, inclusive.
    From(u64, Option<u64>),
    /// `-6`: the last bytes.
    Last(u64),
}

impl Spec {
    /// The bytes of a file of `size` bytes that are meant; `None` when there are none.
    fn within(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, None) => first..size,
            Self::From(first, Some(last)) => first..last.saturating_add(1).min(size),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (range.start < range.end).then_some(range)
    }
}

fn spec(text: &str) -> Result<Spec, Error> {
    let (first, last) = text.split_once('-').ok_or_else(malformed)?;
    match (first, last) {
        ("", last) => Ok(Spec::Last(number(last)?)),
        (first, "") => Ok(Spec::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(malformed());
            }
            Ok(Spec::From(first, Some(last)))
        }
    }
}

/// A position. One that no file reaches is as good as the largest number.
fn number(digits: &str) -> Result<u64, Error> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed());
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

/// Joins ranges that overlap or touch: no byte is sent twice. Ranges that do not keep the order asked for.
fn merge(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = ranges.clone();
    sorted.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    if merged.len() == ranges.len() {
        ranges
    } else {
        merged
    }
}

/// Refused rather than ignored: the whole file would be appended to what a client has already.
fn malformed() -> Error {
    Error::new(
        ErrorKind::MalformedRequest,
        "`Range` is `bytes=<first>-<last>`, or a list of such ranges.",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn ranges_of_the_wire_contract() {
        assert_eq!(parse("bytes=20-", 26).unwrap(), Wanted::One(20..26));
        assert_eq!(parse("bytes=0-", 26).unwrap(), Wanted::One(0..26));
        assert_eq!(parse("BYTES=-6", 26).unwrap(), Wanted::One(20..26));
        assert_eq!(parse("bytes=-100", 26).unwrap(), Wanted::One(0..26));
        assert_eq!(parse("bytes=5-5", 26).unwrap(), Wanted::One(5..6));
        let huge = "bytes=0-99999999999999999999999999";
        assert_eq!(parse(huge, 26).unwrap(), Wanted::One(0..26));
        assert_eq!(parse("lines=1-2", 26).unwrap(), Wanted::Whole);
    }

    #[test]
    fn what_lies_outside_is_not_satisfiable() {
        for (text, size) in [
            ("bytes=26-", 26),
            ("bytes=-0", 26),
            ("bytes=0-", 0),
            ("bytes=99999999999999999999999999-", 26),
        ] {
            let error = parse(text, size).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RangeNotSatisfiable, "{text}");
        }
        let many = format!("bytes={}", vec!["0-0"; 17].join(","));
        assert_eq!(
            parse(&many, 26).unwrap_err().kind(),
            ErrorKind::RangeNotSatisfiable
        );
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "bytes",
            "bytes=",
            "bytes=a-",
            "bytes=5-2",
            "bytes=-",
            "bytes=1",
            "bytes=+1-2",
            "bytes=1-2-3",
        ] {
            let error = parse(text, 26).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedRequest, "{text}");
        }
    }

    #[test]
    fn order_is_kept_unless_ranges_overlap() {
        let apart = parse("bytes=20-21,0-1", 26).unwrap();
        assert_eq!(apart, Wanted::Many(vec![20..22, 0..2]));
        let touching = parse("bytes=20-21,0-1,2-5", 26).unwrap();
        assert_eq!(touching, Wanted::Many(vec![0..6, 20..22]));
    }

    proptest! {
        /// The model: every position that some range names and the file has.
        #[test]
        fn exactly_the_bytes_named_are_sent_once(
            specs in prop::collection::vec((0u64..40, prop::option::of(0u64..40), any::<bool>()), 1..8),
            size in 0u64..40,
        ) {
            let mut expected = BTreeSet::new();
            let mut texts = Vec::new();
            for (first, length, is_suffix) in specs {
                if is_suffix {
                    texts.push(format!("-{first}"));
                    expected.extend(size.saturating_sub(first)..size);
                } else if let Some(length) = length {
                    texts.push(format!("{first}-{}", first + length));
                    expected.extend((first..=first + length).filter(|at| *at < size));
                } else {
                    texts.push(format!("{first}-"));
                    expected.extend(first..size);
                }
            }
            let sent: Vec<u64> = match parse(&format!("bytes={}", texts.join(", ")), size) {
                Ok(Wanted::One(range)) => range.collect(),
                Ok(Wanted::Many(ranges)) => ranges.into_iter().flatten().collect(),
                Ok(Wanted::Whole) => unreachable!("a range of bytes is never the whole"),
                Err(_) => Vec::new(),
            };
            let count = sent.len();
            let unique: BTreeSet<u64> = sent.into_iter().collect();
            prop_assert_eq!(count, unique.len());
            prop_assert_eq!(unique, expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", size in any::<u64>()) {
            let _ = parse(&text, size);
            let _ = parse(&format!("bytes={text}"), size);
        }
    }
}
