use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp as Instant, ToSpan as _};

use crate::Timestamp;
use crate::text::as_text;

/// Longest stretch of local time that a change of the clocks ever left out, in minutes: a whole day, and some.
const GAP_MINUTES_MAX: u32 = 1_500;

/// A time zone of the IANA database: `Europe/Berlin`, `UTC`.
///
/// The database is part of the program, so that every node says the same whatever its machine has.
#[derive(Clone)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            rules: TimeZone::UTC,
        }
    }

    /// Its name in the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hour of the day, 0 to 23, that the clocks show at a time.
    pub fn hour(&self, at: Timestamp) -> u8 {
        self.local(at).hour().unsigned_abs()
    }

    /// The day, as `2026-11-22`, that the calendars show at a time.
    pub fn day(&self, at: Timestamp) -> String {
        self.local(at).date().to_string()
    }

    /// What the clocks show at a time, with their distance from UTC: `2026-11-23T02:30:00+01:00`.
    pub fn shown(&self, at: Timestamp) -> String {
        let instant = Instant::from_millisecond(at.ms()).unwrap_or(Instant::UNIX_EPOCH);
        let zoned = instant.to_zoned(self.rules.clone());
        zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// What the clocks show at a time.
    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        let instant = Instant::from_millisecond(at.ms()).unwrap_or(Instant::UNIX_EPOCH);
        self.rules.to_datetime(instant)
    }

    /// When the clocks show an hour and minute of a day: where they show it twice, the first time; where they leave it
    /// out, the first minute after.
    pub(crate) fn instant(&self, date: Date, hour: u32, minute: u32) -> Option<Timestamp> {
        let mut local = date.at(hour as i8, minute as i8, 0, 0);
        for _ in 0..GAP_MINUTES_MAX {
            let found = self.rules.to_ambiguous_timestamp(local);
            if !matches!(found.offset(), AmbiguousOffset::Gap { .. }) {
                let instant = found.earlier().ok()?;
                return Some(Timestamp::from_ms(instant.as_millisecond()));
            }
            local = local.checked_add(1.minute()).ok()?;
        }
        None
    }
}

impl FromStr for Zone {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a time zone is a name of the IANA database, such as `Europe/Berlin` or `UTC`";
        let rules = TimeZoneDatabase::bundled().get(text).map_err(|_| wrong)?;
        let name = rules.iana_name().unwrap_or(text).to_owned();
        Ok(Self { name, rules })
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

as_text!(Zone);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use jiff::civil::date;

    fn at(zone: &str, day: Date, hour: u32, minute: u32) -> String {
        let zone: Zone = zone.parse().unwrap();
        zone.instant(day, hour, minute).unwrap().to_string()
    }

    #[test]
    fn clocks_that_change_leave_no_doubt() {
        // In spring 02:00 to 03:00 is left out, in autumn it comes twice.
        let (spring, autumn) = (date(2026, 3, 29), date(2026, 10, 25));
        assert_eq!(
            at("Europe/Berlin", spring, 2, 30),
            "2026-03-29T01:00:00.000Z"
        );
        assert_eq!(
            at("Europe/Berlin", spring, 2, 0),
            "2026-03-29T01:00:00.000Z"
        );
        assert_eq!(
            at("Europe/Berlin", spring, 3, 0),
            "2026-03-29T01:00:00.000Z"
        );
        assert_eq!(
            at("Europe/Berlin", autumn, 2, 30),
            "2026-10-25T00:30:00.000Z"
        );
        assert_eq!(
            at("Europe/Berlin", autumn, 3, 0),
            "2026-10-25T02:00:00.000Z"
        );
        // Samoa left out a whole day.
        assert_eq!(
            at("Pacific/Apia", date(2011, 12, 30), 12, 0),
            "2011-12-30T10:00:00.000Z"
        );
        assert_eq!(
            at("Asia/Kathmandu", date(2026, 1, 1), 0, 0),
            "2025-12-31T18:15:00.000Z"
        );
    }

    #[test]
    fn zones_that_do_not_exist_are_refused() {
        assert!("Europe/Atlantis".parse::<Zone>().is_err() && "".parse::<Zone>().is_err());
        assert_eq!(
            "europe/berlin".parse::<Zone>().unwrap().name(),
            "Europe/Berlin"
        );
    }
}
