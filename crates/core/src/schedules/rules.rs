//! What a schedule must be like.

use std::time::Duration;

use bailee_model::{Calendar, DayRule, Error, Result, Timestamp, limit};

use super::{NewSchedule, NewTarget};
use crate::checks;

/// What can be judged without looking at anything.
pub(crate) fn check(new: &NewSchedule) -> Result<()> {
    checks::text("#/name", &new.name)?;
    if let Some(description) = &new.description {
        checks::text("#/description", description)?;
    }
    let range = |pointer: &str, value: u32, (least, most): (u32, u32)| {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        let detail = format!("Must be {least} to {most}.");
        Err(Error::field(pointer, "out_of_range", detail))
    };
    range(
        "#/jitter_seconds",
        new.jitter_seconds,
        (0, limit::JITTER_SECONDS_MAX),
    )?;
    range(
        "#/misfire/runs_max",
        new.misfire.runs_max,
        (1, limit::MISFIRE_RUNS_MAX),
    )?;
    range(
        "#/misfire/grace_seconds",
        new.misfire.grace_seconds,
        (0, limit::MISFIRE_GRACE_SECONDS_MAX),
    )?;
    if new.timing.day_rule == DayRule::NotOnHolidays && new.calendar.is_none() {
        let detail = "Name the calendar that has the holidays.";
        return Err(Error::field("#/calendar_id", "missing", detail));
    }
    if new
        .timing
        .window
        .is_some_and(|window| window.opens == window.closes)
    {
        let detail = "A window closes at another time than it opens.";
        return Err(Error::field("#/window/closes", "empty", detail));
    }
    match &new.target {
        NewTarget::Transfer {
            deadline_seconds: Some(seconds),
            ..
        } if !(1..=limit::DEADLINE_SECONDS_MAX).contains(seconds) => {
            let detail = format!("Must be 1 to {}.", limit::DEADLINE_SECONDS_MAX);
            Err(Error::field("#/deadline_seconds", "out_of_range", detail))
        }
        NewTarget::Flow { params, .. } if params.len() > limit::METADATA_ENTRIES_MAX => {
            let detail = format!("At most {}.", limit::METADATA_ENTRIES_MAX);
            Err(Error::field("#/flow/params", "too_many", detail))
        }
        NewTarget::Transfer { .. } | NewTarget::Flow { .. } => Ok(()),
    }
}

/// Whether there is a time at all, and room for the spread between two.
pub(crate) fn has_times(
    new: &NewSchedule,
    now: Timestamp,
    calendar: Option<&Calendar>,
) -> Result<()> {
    let Some(first) = new.timing.next(now, calendar) else {
        let detail =
            "There is no time at which this would run: look at cron, calendar, window and end.";
        return Err(Error::field("#/cron", "never", detail));
    };
    let spread = Duration::from_secs(u64::from(new.jitter_seconds));
    let second = new.timing.next(first, calendar);
    if second.is_some_and(|second| second.since(first) <= spread) {
        let detail = "Must be less than the time between two runs.";
        return Err(Error::field("#/jitter_seconds", "too_long", detail));
    }
    Ok(())
}
