//! Calendars: which days are worked on.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::as_text;
use crate::{CalendarId, Timestamp};

/// The working days of a week and the days on which nobody works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Its id.
    pub id: CalendarId,
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The days of a week that are worked on.
    pub working_days: WorkingDays,
    /// The days that are not, by date.
    pub holidays: Vec<Holiday>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

impl Calendar {
    /// Whether a day is a holiday.
    pub(crate) fn is_holiday(&self, date: Date) -> bool {
        self.holidays.iter().any(|holiday| holiday.date.is(date))
    }

    /// Whether a day is worked on.
    pub(crate) fn is_business_day(&self, date: Date) -> bool {
        self.working_days.hold(date.weekday()) && !self.is_holiday(date)
    }
}

/// A day on which nobody works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// When.
    pub date: HolidayDate,
    /// What it is called.
    pub name: String,
}

/// One day, `2026-04-03`, or the same day of each year, `*-12-25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolidayDate {
    year: Option<i16>,
    month: i8,
    day: i8,
}

impl HolidayDate {
    fn is(self, date: Date) -> bool {
        self.month == date.month()
            && self.day == date.day()
            && self.year.is_none_or(|year| year == date.year())
    }
}

/// A year that has all days.
const LEAP_YEAR: i16 = 2000;

impl FromStr for HolidayDate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a holiday is a date such as `2026-04-03`, or `*-12-25` for each year";
        let (year, text) = match text.strip_prefix("*-") {
            Some(day) if day.len() == 5 => (None, format!("{LEAP_YEAR}-{day}")),
            None if text.len() == 10 => (Some(()), text.to_owned()),
            Some(_) | None => return Err(wrong),
        };
        let date: Date = text.parse().map_err(|_| wrong)?;
        Ok(Self {
            year: year.map(|()| date.year()),
            month: date.month(),
            day: date.day(),
        })
    }
}

impl fmt::Display for HolidayDate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.year {
            Some(year) => write!(out, "{year:04}-{:02}-{:02}", self.month, self.day),
            None => write!(out, "*-{:02}-{:02}", self.month, self.day),
        }
    }
}

as_text!(HolidayDate);

/// Names of the days, in the order of their bits.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Some days of a week; never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkingDays(u8);

impl WorkingDays {
    /// Monday to Friday.
    pub const USUAL: Self = Self(0b001_1111);

    /// The days of these names; `None` if one is no day, or there are none.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut days = 0;
        for name in names {
            days |= 1 << DAYS.iter().position(|day| *day == name)?;
        }
        (days != 0).then_some(Self(days))
    }

    /// Their names, from Monday on.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let held = (0..7)
            .zip(DAYS)
            .filter(move |(at, _)| self.0 & (1 << at) != 0);
        held.map(|(_, name)| name)
    }

    pub(crate) fn hold(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }
}

impl Serialize for WorkingDays {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for WorkingDays {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(input)?;
        Self::named(names.iter().map(String::as_str))
            .ok_or_else(|| serde::de::Error::custom("working days are some of `mon` to `sun`"))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_holiday_is_once_or_each_year() {
        let once: HolidayDate = "2026-04-03".parse().unwrap();
        assert!(once.is(date(2026, 4, 3)) && !once.is(date(2027, 4, 3)));
        let each: HolidayDate = "*-12-25".parse().unwrap();
        assert!(each.is(date(2026, 12, 25)) && each.is(date(2031, 12, 25)));
        assert_eq!(each.to_string(), "*-12-25");
        assert_eq!(once.to_string(), "2026-04-03");
        assert!("*-02-29".parse::<HolidayDate>().is_ok());
        for text in [
            "",
            "2026-02-29",
            "*-02-30",
            "12-25",
            "2026-4-3",
            "*-12-25T00",
        ] {
            assert!(text.parse::<HolidayDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn working_days_have_names() {
        let days = WorkingDays::named(["sun", "mon"]).unwrap();
        assert_eq!(days.names().collect::<Vec<_>>(), ["mon", "sun"]);
        assert!(days.hold(Weekday::Sunday) && !days.hold(Weekday::Friday));
        assert_eq!(WorkingDays::named([]), None);
        assert_eq!(WorkingDays::named(["monday"]), None);
        assert_eq!(WorkingDays::USUAL.names().count(), 5);
    }
}
