use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limit;

/// A length of time as people write it: `90s`, `15m`, `2h`, `7d`, or a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(Duration);

/// What a [`TimeSpan`] looks like.
const FORM: &str = "a length of time is a number of seconds or looks like `90s`, `15m`, `2h` or `7d`, at most 366 days";

impl TimeSpan {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// As a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }

    fn bounded(seconds: Option<u64>) -> Result<Self, &'static str> {
        let span = seconds.map(Duration::from_secs);
        span.filter(|span| *span <= limit::FLOW_SPAN_MAX)
            .map(Self)
            .ok_or(FORM)
    }
}

impl FromStr for TimeSpan {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
        let found = units
            .iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)));
        let (number, unit) = found.ok_or(FORM)?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(FORM);
        }
        Self::bounded(number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)))
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}s", self.0.as_secs())
    }
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Seconds(u64),
            Text(String),
        }
        let read = match Form::deserialize(input) {
            Ok(Form::Seconds(seconds)) => Self::bounded(Some(seconds)),
            Ok(Form::Text(text)) => text.parse(),
            Err(_) => Err(FORM),
        };
        read.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        let seconds = |text: &str| text.parse::<TimeSpan>().map(|span| span.0.as_secs());
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("5m"), Ok(300));
        assert_eq!(seconds("7d"), Ok(604_800));
        for text in ["", "5", "m", "-1s", "1.5h", "5 m", "9999999999d", "367d"] {
            assert!(text.parse::<TimeSpan>().is_err(), "{text}");
        }
        assert_eq!(
            serde_json::from_str::<TimeSpan>("30").ok(),
            Some(TimeSpan::seconds(30))
        );
    }
}
