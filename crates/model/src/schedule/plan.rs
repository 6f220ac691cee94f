//! From a rule to the times when it comes true.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Cron, Zone};
use crate::text::as_text;
use crate::{Calendar, Timestamp, WorkingDays};

/// Days that are looked at for the next time: 29 February on a bound day of the week may be forty years away.
const DAYS_SEEN_MAX: u32 = 41 * 366;

/// On which days of its cron expression a schedule runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayRule {
    /// On all.
    #[default]
    EveryDay,
    /// Not on holidays.
    NotOnHolidays,
    /// On business days only.
    BusinessDays,
    /// On the next business day, where a day is none.
    NextBusinessDay,
    /// On the business day before, where a day is none.
    PreviousBusinessDay,
}

/// A time of each day, in hours and minutes: `22:00` to `05:00` goes past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayWindow {
    /// Its first minute.
    pub opens: DayTime,
    /// The first minute after it.
    pub closes: DayTime,
}

impl DayWindow {
    fn holds(self, time: DayTime) -> bool {
        if self.opens <= self.closes {
            self.opens <= time && time < self.closes
        } else {
            self.opens <= time || time < self.closes
        }
    }
}

/// A minute of a day: `02:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayTime {
    hour: u8,
    minute: u8,
}

impl DayTime {
    /// Its hour, 0 to 23.
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// Its minute.
    pub fn minute(self) -> u8 {
        self.minute
    }
}

impl FromStr for DayTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a time of the day looks like `02:30`";
        let (hour, minute) = text.split_once(':').ok_or(wrong)?;
        let number = |text: &str, most: u8| {
            let is_plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            let found = text.parse::<u8>().ok().filter(|_| is_plain);
            found.filter(|found| *found <= most).ok_or(wrong)
        };
        Ok(Self {
            hour: number(hour, 23)?,
            minute: number(minute, 59)?,
        })
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:{:02}", self.hour, self.minute)
    }
}

as_text!(DayTime);

/// When something runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// The minutes, as the clocks of the zone show them.
    pub cron: Cron,
    /// Whose clocks.
    pub zone: Zone,
    /// Which of the days.
    pub day_rule: DayRule,
    /// Only within this time of the day.
    pub window: Option<DayWindow>,
    /// Not before this.
    pub starts_at: Option<Timestamp>,
    /// Not at or after this.
    pub ends_at: Option<Timestamp>,
}

impl Timing {
    /// Every day at one time.
    pub fn daily(cron: Cron, zone: Zone, day_rule: DayRule) -> Self {
        Self {
            cron,
            zone,
            day_rule,
            window: None,
            starts_at: None,
            ends_at: None,
        }
    }

    /// The first time after `after`; `None` if there is none in this and the next generation.
    pub fn next(&self, after: Timestamp, calendar: Option<&Calendar>) -> Option<Timestamp> {
        let first = self.starts_at.map_or(after, |starts_at| {
            after.max(Timestamp::from_ms(starts_at.ms() - 1))
        });
        let local = self.zone.local(first);
        let mut date = local.date();
        let now = (local.hour() as u32, local.minute() as u32);
        for _ in 0..DAYS_SEEN_MAX {
            let is_first = date == local.date();
            if self.runs_on(date, calendar) {
                for time in self.times().filter(|time| !is_first || *time >= now) {
                    let at = self.zone.instant(date, time.0, time.1);
                    if let Some(at) = at.filter(|at| *at > first) {
                        return (self.ends_at.is_none_or(|ends_at| at < ends_at)).then_some(at);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The times after `after`, up to and with `until`, at most `most`.
    pub fn times_until(
        &self,
        (after, until): (Timestamp, Timestamp),
        calendar: Option<&Calendar>,
        most: usize,
    ) -> Vec<Timestamp> {
        let mut times = Vec::new();
        let mut after = after;
        while times.len() < most {
            match self.next(after, calendar).filter(|at| *at <= until) {
                Some(at) => times.push(at),
                None => break,
            }
            after = times.last().copied().unwrap_or(after);
        }
        times
    }

    fn times(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.cron.times().filter(|(hour, minute)| {
            let time = DayTime {
                hour: *hour as u8,
                minute: *minute as u8,
            };
            self.window.is_none_or(|window| window.holds(time))
        })
    }

    fn runs_on(&self, date: Date, calendar: Option<&Calendar>) -> bool {
        let is_business = |date: Date| match calendar {
            Some(calendar) => calendar.is_business_day(date),
            None => WorkingDays::USUAL.hold(date.weekday()),
        };
        match self.day_rule {
            DayRule::EveryDay => self.cron.has_day(date),
            DayRule::NotOnHolidays => {
                let is_holiday = calendar.is_some_and(|calendar| calendar.is_holiday(date));
                !is_holiday && self.cron.has_day(date)
            }
            DayRule::BusinessDays => is_business(date) && self.cron.has_day(date),
            DayRule::NextBusinessDay => {
                is_business(date) && self.has_day_beside(date, &is_business, Date::yesterday)
            }
            DayRule::PreviousBusinessDay => {
                is_business(date) && self.has_day_beside(date, &is_business, Date::tomorrow)
            }
        }
    }

    /// Whether a day is meant, or one of those beside it that are no business days.
    fn has_day_beside(
        &self,
        date: Date,
        is_business: &impl Fn(Date) -> bool,
        step: impl Fn(Date) -> Result<Date, jiff::Error>,
    ) -> bool {
        let mut beside = date;
        for _ in 0..DAYS_SEEN_MAX {
            if self.cron.has_day(beside) {
                return true;
            }
            match step(beside) {
                Ok(next) if !is_business(next) => beside = next,
                _ => return false,
            }
        }
        false
    }
}
