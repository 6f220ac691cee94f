use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TimeOfDay;
use crate::{Timestamp, Zone};

/// A time zone by its IANA name: `Europe/Berlin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZoneName(String);

impl Default for TimeZoneName {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl TimeZoneName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rules of its clocks, as schedules have them; UTC if there is no such zone any more.
    pub fn rules(&self) -> Zone {
        self.0.parse().unwrap_or_else(|_| Zone::utc())
    }

    fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.0).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// A moment in this zone, in a form of `strftime`.
    pub fn format(&self, form: &str, at: Timestamp) -> Option<String> {
        let at = jiff::Timestamp::from_millisecond(at.ms()).ok()?;
        jiff::fmt::strtime::format(form, &at.to_zoned(self.zone())).ok()
    }

    /// The next moment after `from` at which clocks in this zone show `time`.
    pub fn next(&self, time: TimeOfDay, from: Timestamp) -> Option<Timestamp> {
        let from = jiff::Timestamp::from_millisecond(from.ms()).ok()?;
        let mut day = from.to_zoned(self.zone()).date();
        for _ in 0..3 {
            let at = day.at(time.hour, time.minute, 0, 0);
            // A time that clocks skip is the moment at which they skip it.
            let at = at.to_zoned(self.zone()).ok()?.timestamp();
            if at > from {
                return Some(Timestamp::from_ms(at.as_millisecond()));
            }
            day = day.tomorrow().ok()?;
        }
        None
    }
}

impl FromStr for TimeZoneName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match jiff::tz::TimeZone::get(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(format!("`{text}` is no time zone such as `Europe/Berlin`")),
        }
    }
}

impl Serialize for TimeZoneName {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TimeZoneName {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn times_are_those_of_the_zone() {
        let berlin: TimeZoneName = "Europe/Berlin".parse().unwrap();
        let evening = Timestamp::parse("2026-11-21T23:30:00Z").unwrap();
        assert_eq!(berlin.format("%Y/%m/%d", evening).unwrap(), "2026/11/22");
        let next = berlin.next("06:00".parse().unwrap(), evening).unwrap();
        assert_eq!(next, Timestamp::parse("2026-11-22T05:00:00Z").unwrap());
        let later = berlin.next("06:00".parse().unwrap(), next).unwrap();
        assert_eq!(later, Timestamp::parse("2026-11-23T05:00:00Z").unwrap());
        assert!("Mars/Olympus".parse::<TimeZoneName>().is_err());
    }
}
