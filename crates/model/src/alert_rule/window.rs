use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Calendar, CalendarId, DayRule, DayTime, Finding, FolderPath, Glob, RemoteName, Timestamp,
    Timing, Zone,
};

/// Files that come in a window of each day, or do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedFile {
    /// They come into this folder.
    pub folder: FolderPath,
    /// And are named like this, below it.
    pub pattern: Option<Glob>,
    /// And are brought from this remote.
    pub remote: Option<RemoteName>,
    /// The window's first minute.
    pub opens: DayTime,
    /// The first minute after it; before `opens` it is one of the next day.
    pub closes: DayTime,
    /// Whose clocks.
    pub zone: Zone,
    /// Whose days.
    pub calendar: Option<CalendarId>,
    /// On which of them.
    pub day_rule: DayRule,
    /// At least so many.
    pub files_min: u64,
    /// Each of at least so many bytes.
    pub bytes_min: u64,
    /// So long after the window they are late; after that they are missing.
    pub late_minutes: u32,
}

/// A window, with the time until the next one opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSpan {
    /// Its first moment.
    pub opens: Timestamp,
    /// The first moment after it.
    pub closes: Timestamp,
    /// From here on what did not come is missing.
    pub ends: Timestamp,
    /// When the next one opens.
    pub next: Option<Timestamp>,
}

/// Files that came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCount {
    /// Large enough.
    pub good: u64,
    /// Too small.
    pub small: u64,
}

impl WindowSpan {
    /// The times at which more can be said, in order.
    pub fn steps(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let ends = (self.ends != self.closes).then_some(self.ends);
        [self.closes].into_iter().chain(ends).chain(self.next)
    }
}

impl ExpectedFile {
    /// The first opening after `after`.
    pub fn next_opening(&self, after: Timestamp, calendar: Option<&Calendar>) -> Option<Timestamp> {
        self.timing(self.opens)?.next(after, calendar)
    }

    /// The window that opens at `opens`.
    pub fn window(&self, opens: Timestamp, calendar: Option<&Calendar>) -> Option<WindowSpan> {
        // It closes the next time that the clocks show so, whatever day it is.
        let closing = Timing {
            day_rule: DayRule::EveryDay,
            ..self.timing(self.closes)?
        };
        let closes = closing.next(opens, None)?;
        let late = Duration::from_secs(u64::from(self.late_minutes) * 60);
        Some(WindowSpan {
            opens,
            closes,
            ends: closes.plus(late),
            next: self.next_opening(opens, calendar),
        })
    }

    fn timing(&self, at: DayTime) -> Option<Timing> {
        let cron = format!("{} {} * * *", at.minute(), at.hour());
        let cron = cron.parse().ok()?;
        Some(Timing::daily(cron, self.zone.clone(), self.day_rule))
    }

    /// What is wrong with a window at a time, given what has come since it opened.
    pub fn judge(&self, span: &WindowSpan, now: Timestamp, count: FileCount) -> Option<Finding> {
        if now < span.closes || count.good >= self.files_min {
            return None;
        }
        let came = count.good + count.small;
        let problem = if now < span.ends {
            "late"
        } else if came == 0 {
            "missing"
        } else if came >= self.files_min {
            "too_small"
        } else {
            "too_few"
        };
        let (wanted, least) = (self.files_min, self.bytes_min);
        let told = match problem {
            "late" => format!(
                "{} of {wanted} files came in time; the rest is late.",
                count.good
            ),
            "missing" => format!("None of {wanted} files came."),
            "too_small" => format!(
                "{came} files came, {} of them smaller than {least} bytes.",
                count.small
            ),
            _ => format!("{} of {wanted} files came.", count.good),
        };
        let place = match &self.pattern {
            Some(pattern) => format!(
                "{}/{pattern}",
                self.folder.to_string().trim_end_matches('/')
            ),
            None => self.folder.to_string(),
        };
        Some(Finding {
            problem,
            summary: format!("{place}: {told}"),
            facts: serde_json::json!({
                "opens_at": span.opens,
                "closes_at": span.closes,
                "files_wanted": wanted,
                "files": count.good,
                "files_too_small": count.small,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn expected(opens: &str, closes: &str) -> ExpectedFile {
        ExpectedFile {
            folder: "/in".parse().unwrap(),
            pattern: Some("*.csv".parse().unwrap()),
            remote: None,
            opens: opens.parse().unwrap(),
            closes: closes.parse().unwrap(),
            zone: "Europe/Berlin".parse().unwrap(),
            calendar: None,
            day_rule: DayRule::BusinessDays,
            files_min: 2,
            bytes_min: 10,
            late_minutes: 30,
        }
    }

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_window_is_of_a_business_day_and_may_go_past_midnight() {
        let rule = expected("22:00", "04:00");
        // Friday evening; it closes on Saturday, and the next one opens on Monday.
        let opens = rule
            .next_opening(time("2026-11-20T12:00:00Z"), None)
            .unwrap();
        let span = rule.window(opens, None).unwrap();
        assert_eq!(span.opens, time("2026-11-20T21:00:00Z"));
        assert_eq!(span.closes, time("2026-11-21T03:00:00Z"));
        assert_eq!(span.ends, time("2026-11-21T03:30:00Z"));
        assert_eq!(span.next, Some(time("2026-11-23T21:00:00Z")));
    }

    #[test]
    fn what_is_wrong_is_told_by_time_and_count() {
        let rule = expected("02:00", "04:00");
        let span = rule.window(time("2026-11-23T01:00:00Z"), None).unwrap();
        let problem = |now: Timestamp, good, small| {
            let found = rule.judge(&span, now, FileCount { good, small });
            found.map(|finding| finding.problem)
        };
        assert_eq!(problem(time("2026-11-23T02:59:59Z"), 0, 0), None);
        assert_eq!(problem(span.closes, 1, 0), Some("late"));
        assert_eq!(problem(span.ends, 0, 0), Some("missing"));
        assert_eq!(problem(span.ends, 1, 0), Some("too_few"));
        assert_eq!(problem(span.ends, 1, 1), Some("too_small"));
        assert_eq!(problem(span.ends, 2, 0), None);
    }
}
