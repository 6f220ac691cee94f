use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Timestamp, Zone};

/// When a remote is used and looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteTimes {
    /// How often it is looked at; never if `None`.
    pub health_check_seconds: Option<u32>,
    /// The zone of the windows' times.
    pub time_zone: Zone,
    /// How fast transfers with it may be at which time: the first window that holds decides, outside of all there is no
    /// bound.
    pub windows: Vec<RemoteWindow>,
}

/// How fast a remote may be used for a part of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteWindow {
    /// The days on which it begins; every day if empty.
    pub days: Vec<Weekday>,
    /// When it begins.
    pub from: WindowEdge,
    /// When it ends; on the next day if not after its beginning.
    pub to: WindowEdge,
    /// Bytes per second of all transfers together; 0 is none at all.
    pub bytes_per_second: u64,
}

/// What a remote's times allow at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// Any speed.
    Free,
    /// So many bytes per second.
    Bounded(u64),
    /// Nothing before then.
    Closed(Timestamp),
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// Where a window begins or ends, to the minute: `00:00` to `24:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowEdge(u16);

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How far ahead the end of a closed time is looked for, in days: each day of the week comes.
const DAYS_AHEAD: i64 = 8;

impl RemoteTimes {
    /// What is allowed at `now`.
    pub fn allowance(&self, now: Timestamp) -> Allowance {
        match self.rate(now) {
            None => Allowance::Free,
            Some(0) => Allowance::Closed(self.opens_after(now)),
            Some(rate) => Allowance::Bounded(rate),
        }
    }

    /// The bound that holds at `at`, if one does.
    fn rate(&self, at: Timestamp) -> Option<u64> {
        if self.windows.is_empty() {
            return None;
        }
        let here = self.time_zone.local(at);
        let (today, minute) = (Weekday::of(&here), minute(&here));
        let found = self
            .windows
            .iter()
            .find(|window| window.holds(today, minute));
        found.map(|window| window.bytes_per_second)
    }

    /// The first edge of a window after `now` at which something is allowed; midnight in UTC if there is none in sight.
    fn opens_after(&self, now: Timestamp) -> Timestamp {
        let fallback = Timestamp::from_ms((now.ms().div_euclid(DAY_MS) + 1) * DAY_MS);
        let here = self.time_zone.local(now);
        let mut edges: Vec<Timestamp> = (0..DAYS_AHEAD)
            .flat_map(|day| self.edges(&here, day))
            .filter(|edge| *edge > now)
            .collect();
        edges.sort();
        let open = edges.into_iter().find(|edge| self.rate(*edge) != Some(0));
        open.unwrap_or(fallback)
    }

    /// The beginnings and ends on the day that is `day` days after that of `here`.
    fn edges(&self, here: &DateTime, day: i64) -> Vec<Timestamp> {
        let Ok(date) = here.date().checked_add(day.days()) else {
            return Vec::new();
        };
        let times = self
            .windows
            .iter()
            .flat_map(|window| [window.from, window.to]);
        let edges = times.filter_map(|WindowEdge(minutes)| {
            if minutes == DAY_MINUTES {
                return self.time_zone.instant(date.tomorrow().ok()?, 0, 0);
            }
            let (hour, minute) = (u32::from(minutes / 60), u32::from(minutes % 60));
            self.time_zone.instant(date, hour, minute)
        });
        edges.collect()
    }
}

impl Default for RemoteTimes {
    fn default() -> Self {
        Self {
            health_check_seconds: None,
            time_zone: Zone::utc(),
            windows: Vec::new(),
        }
    }
}

impl RemoteWindow {
    fn holds(&self, today: Weekday, minute: u16) -> bool {
        let begins_on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        if self.from < self.to {
            return begins_on(today) && (self.from.0..self.to.0).contains(&minute);
        }
        begins_on(today) && minute >= self.from.0
            || begins_on(today.yesterday()) && minute < self.to.0
    }
}

impl Weekday {
    /// All of them, from Monday on.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    fn of(here: &DateTime) -> Self {
        match here.weekday() {
            jiff::civil::Weekday::Monday => Self::Mon,
            jiff::civil::Weekday::Tuesday => Self::Tue,
            jiff::civil::Weekday::Wednesday => Self::Wed,
            jiff::civil::Weekday::Thursday => Self::Thu,
            jiff::civil::Weekday::Friday => Self::Fri,
            jiff::civil::Weekday::Saturday => Self::Sat,
            jiff::civil::Weekday::Sunday => Self::Sun,
        }
    }

    fn yesterday(self) -> Self {
        match self {
            Self::Mon => Self::Sun,
            Self::Tue => Self::Mon,
            Self::Wed => Self::Tue,
            Self::Thu => Self::Wed,
            Self::Fri => Self::Thu,
            Self::Sat => Self::Fri,
            Self::Sun => Self::Sat,
        }
    }
}

fn minute(here: &DateTime) -> u16 {
    u16::from(here.hour().unsigned_abs()) * 60 + u16::from(here.minute().unsigned_abs())
}

impl FromStr for WindowEdge {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is a time of the day such as 08:30, from 00:00 to 24:00";
        let (hour, minute) = text.split_once(':').ok_or(WRONG)?;
        let part = |part: &str| -> Result<u16, Self::Err> {
            if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(WRONG);
            }
            part.parse().map_err(|_| WRONG)
        };
        let (hour, minute) = (part(hour)?, part(minute)?);
        let whole = hour * 60 + minute;
        if minute > 59 || whole > DAY_MINUTES {
            return Err(WRONG);
        }
        Ok(Self(whole))
    }
}

impl fmt::Display for WindowEdge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for WindowEdge {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WindowEdge {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn window(days: &[Weekday], from: &str, to: &str, bytes_per_second: u64) -> RemoteWindow {
        RemoteWindow {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            bytes_per_second,
        }
    }

    fn berlin(windows: Vec<RemoteWindow>) -> RemoteTimes {
        RemoteTimes {
            time_zone: "Europe/Berlin".parse().unwrap(),
            windows,
            ..RemoteTimes::default()
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_first_window_that_holds_decides() {
        let times = berlin(vec![
            window(&[Weekday::Sat, Weekday::Sun], "00:00", "24:00", 9),
            window(&[], "08:00", "18:00", 5),
        ]);
        // A Friday in winter: Berlin is an hour ahead.
        for (time, allowed) in [
            ("2026-11-20T06:59:00Z", Allowance::Free),
            ("2026-11-20T07:00:00Z", Allowance::Bounded(5)),
            ("2026-11-20T16:59:59Z", Allowance::Bounded(5)),
            ("2026-11-20T17:00:00Z", Allowance::Free),
            ("2026-11-20T23:00:00Z", Allowance::Bounded(9)),
            ("2026-11-22T22:59:00Z", Allowance::Bounded(9)),
            ("2026-11-22T23:00:00Z", Allowance::Free),
        ] {
            assert_eq!(times.allowance(at(time)), allowed, "{time}");
        }
    }

    #[test]
    fn a_window_may_lie_over_midnight_and_belongs_to_the_day_on_which_it_begins() {
        let times = berlin(vec![window(&[Weekday::Fri], "22:00", "06:00", 0)]);
        let opens = Allowance::Closed(at("2026-11-21T05:00:00Z"));
        for (time, allowed) in [
            ("2026-11-20T04:00:00Z", Allowance::Free),
            ("2026-11-20T21:00:00Z", opens),
            ("2026-11-21T04:59:00Z", opens),
            ("2026-11-21T05:00:00Z", Allowance::Free),
            ("2026-11-21T22:00:00Z", Allowance::Free),
        ] {
            assert_eq!(times.allowance(at(time)), allowed, "{time}");
        }
    }

    #[test]
    fn a_closed_time_ends_at_the_first_edge_that_opens() {
        let times = berlin(vec![
            window(&[], "20:00", "21:00", 7),
            window(&[Weekday::Mon], "00:00", "12:00", 0),
            window(&[Weekday::Sat, Weekday::Sun], "00:00", "24:00", 0),
        ]);
        let saturday = at("2026-11-21T20:30:00Z");
        assert_eq!(
            times.allowance(saturday),
            Allowance::Closed(at("2026-11-22T19:00:00Z"))
        );
        let sunday = at("2026-11-22T20:30:00Z");
        assert_eq!(
            times.allowance(sunday),
            Allowance::Closed(at("2026-11-23T11:00:00Z"))
        );
        let never = berlin(vec![window(&[], "00:00", "24:00", 0)]);
        assert!(matches!(never.allowance(sunday), Allowance::Closed(_)));
    }

    #[test]
    fn the_hour_that_a_zone_leaves_out_closes_nothing_for_ever() {
        let times = berlin(vec![window(&[], "01:00", "02:30", 0)]);
        // 29 March 2026: the clock goes from 02:00 to 03:00.
        let within = at("2026-03-29T00:30:00Z");
        assert!(matches!(times.allowance(within), Allowance::Closed(until)
            if until > within && until <= at("2026-03-29T01:30:00Z")));
    }

    #[test]
    fn times_and_zones_that_are_none_are_refused() {
        for text in [
            "24:01", "8:00", "08:60", "0800", "aa:bb", "", "-1:00", "+8:00",
        ] {
            assert!(text.parse::<WindowEdge>().is_err(), "{text}");
        }
        assert_eq!("08:05".parse::<WindowEdge>().unwrap().to_string(), "08:05");
    }
}
