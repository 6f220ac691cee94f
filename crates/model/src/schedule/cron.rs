//! When something happens, in the five fields of cron, to the minute.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::limit;
use crate::text::as_text;

/// Minute, hour, day of the month, month, day of the week: `30 2 * * mon-fri`.
///
/// Each field is `*`, a number, a range `1-5`, a list `1,15`, or any of these with a step `*/10`. Months and days of the
/// week have names; Sunday is 0 and 7. As cron has it since 1979: where both the day of the month and the day of the
/// week are bound, either will do; a field that begins with `*` does not count as bound.
#[derive(Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    is_any_day: bool,
    is_any_weekday: bool,
}

/// The text is no cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// It has too few or too many fields, or is too long.
    #[error(
        "a cron expression has five fields: minute, hour, day of the month, month, day of the week"
    )]
    Shape,
    /// A field cannot be read.
    #[error("the {field} `{text}` cannot be read: {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// The part that is wrong.
        text: String,
        /// Why.
        why: &'static str,
    },
    /// There is no such day in any year.
    #[error("there is no such day in any of these months")]
    Never,
}

/// What a field may hold.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        words: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        words: &[],
    },
    Field {
        name: "day of the month",
        least: 1,
        most: 31,
        words: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of the week",
        least: 0,
        most: 7,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// The most days that a month ever has.
const MONTH_DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Cron {
    /// Whether it happens on a day of the calendar.
    pub(super) fn has_day(&self, date: Date) -> bool {
        if !holds(self.months, date.month() as u32) {
            return false;
        }
        let is_day = holds(self.days, date.day() as u32);
        let weekday = date.weekday().to_sunday_zero_offset() as u32;
        let is_weekday = holds(self.weekdays, weekday);
        if self.is_any_day || self.is_any_weekday {
            is_day && is_weekday
        } else {
            is_day || is_weekday
        }
    }

    /// The times of such a day, as hour and minute, in order.
    pub(super) fn times(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let hours = (0..24).filter(|hour| holds(self.hours, *hour));
        hours.flat_map(|hour| {
            let minutes = (0..60).filter(|minute| holds(self.minutes, *minute));
            minutes.map(move |minute| (hour, minute))
        })
    }

    fn is_possible(&self) -> bool {
        let bound_by_weekday = !self.is_any_weekday && !self.is_any_day;
        bound_by_weekday
            || (1..=12).zip(MONTH_DAYS).any(|(month, most)| {
                holds(self.months, month) && (1..=most).any(|day| holds(self.days, day))
            })
    }
}

const fn holds(set: u64, number: u32) -> bool {
    set & (1 << number) != 0
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        if text.len() > limit::CRON_BYTES_MAX {
            return Err(CronError::Shape);
        }
        let lower = text.trim().to_ascii_lowercase();
        let spelled = match lower.as_str() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other => other,
        };
        let fields: Vec<&str> = spelled.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::Shape);
        };
        let [of_minute, of_hour, of_day, of_month, of_weekday] = &FIELDS;
        let mut weekdays = set(of_weekday, weekday)?;
        if holds(weekdays, 7) {
            weekdays |= 1;
        }
        let cron = Self {
            minutes: set(of_minute, minute)?,
            hours: set(of_hour, hour)?,
            days: set(of_day, day)?,
            months: set(of_month, month)?,
            weekdays,
            is_any_day: day.starts_with('*'),
            is_any_weekday: weekday.starts_with('*'),
            text: fields.join(" "),
        };
        if cron.is_possible() {
            Ok(cron)
        } else {
            Err(CronError::Never)
        }
    }
}

/// The numbers that a field names, as bits.
fn set(field: &Field, text: &str) -> Result<u64, CronError> {
    let mut numbers = 0;
    for part in text.split(',') {
        let wrong = |why| CronError::Field {
            field: field.name,
            text: part.to_owned(),
            why,
        };
        let (range, step) = match part.split_once('/') {
            None => (part, None),
            Some((range, step)) => {
                let step = step.parse::<u32>().ok();
                let step = step.filter(|step| (1..=field.most).contains(step));
                let step = step.ok_or_else(|| wrong("a step is a number that fits the field"))?;
                (range, Some(step))
            }
        };
        let (first, last) = if range == "*" {
            (field.least, field.most)
        } else if let Some((first, last)) = range.split_once('-') {
            let first = number(field, first).map_err(wrong)?;
            // As the end of a range Sunday comes after Saturday.
            let last = match number(field, last).map_err(wrong)? {
                0 if field.most == 7 && first > 0 => 7,
                last => last,
            };
            (first, last)
        } else {
            let first = number(field, range).map_err(wrong)?;
            (first, if step.is_some() { field.most } else { first })
        };
        if first > last {
            return Err(wrong("a range goes upwards"));
        }
        for number in (first..=last).step_by(step.unwrap_or(1) as usize) {
            numbers |= 1_u64 << number;
        }
    }
    Ok(numbers)
}

fn number(field: &Field, text: &str) -> Result<u32, &'static str> {
    if let Some(at) = field.words.iter().position(|word| *word == text) {
        return Ok(at as u32 + field.least);
    }
    let is_number = !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit());
    let found = text.parse::<u32>().ok().filter(|_| is_number);
    let found = found.ok_or("it is neither a number nor a name that fits the field")?;
    if (field.least..=field.most).contains(&found) {
        Ok(found)
    } else {
        Err("it is out of range")
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

as_text!(Cron);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use jiff::civil::date;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap()
    }

    #[test]
    fn fields_are_read_as_cron_has_them() {
        let times: Vec<_> = cron("*/20 2,14-15 * * *").times().collect();
        let hour = |hour| [(hour, 0), (hour, 20), (hour, 40)];
        assert_eq!(times, [hour(2), hour(14), hour(15)].concat());
        assert_eq!(cron("50/4 0 * * *").times().count(), 3);
        assert_eq!(cron("@Daily").to_string(), "0 0 * * *");
        let sunday = date(2026, 11, 22);
        for text in [
            "0 0 * * sun",
            "0 0 * * 7",
            "0 0 * * 0",
            "0 0 * * Fri-Sun",
            "0 0 * NOV 6-7",
        ] {
            assert!(cron(text).has_day(sunday), "{text}");
        }
        assert!(!cron("0 0 * * mon-sat").has_day(sunday));
    }

    #[test]
    fn bound_days_of_both_kinds_are_an_or() {
        let both = cron("0 0 13 * fri");
        assert!(both.has_day(date(2026, 11, 13)) && both.has_day(date(2026, 11, 20)));
        assert!(both.has_day(date(2026, 12, 13)) && !both.has_day(date(2026, 12, 14)));
        let open = cron("0 0 13 * */5");
        assert!(open.has_day(date(2026, 11, 13)) && !open.has_day(date(2026, 11, 20)));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for text in ["0 0 31 2 *", "0 0 30,31 2 *", "0 0 31 2,4,6,9,11 *"] {
            assert_eq!(text.parse::<Cron>(), Err(CronError::Never), "{text}");
        }
        assert!("0 0 29 2 *".parse::<Cron>().is_ok() && "0 0 31 2 mon".parse::<Cron>().is_ok());
        for text in ["", "* * * *", "* * * * * *", "@reboot"] {
            assert_eq!(text.parse::<Cron>(), Err(CronError::Shape), "{text}");
        }
        for text in [
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "1- * * * *",
            ", * * * *",
            "+1 * * * *",
            "L * * * *",
            "* * * * mon#1",
        ] {
            assert!(
                matches!(text.parse::<Cron>(), Err(CronError::Field { .. })),
                "{text}"
            );
        }
    }
}
