//! What an alert rule must be like.

use bailee_model::{
    DayRule, EntryFilter, Error, EventType, Expiry, FirstSeen, Health, Measure, Outcome, Rate,
    Result, Watch, limit,
};

use super::NewAlertRule;
use crate::checks;

/// Most days before which something is said to run out.
const EXPIRY_DAYS_MAX: u32 = 365;
/// Most days for which nothing is said about a principal.
const LEARNING_DAYS_MAX: u32 = 90;
/// Most times that a volume may be the usual one.
const VOLUME_FACTOR_MAX: u32 = 1_000;
/// Most percent by which something rises.
const RISES_PERCENT_MAX: u32 = 100_000;

pub(super) fn check(new: &NewAlertRule) -> Result<()> {
    checks::text("#/name", &new.name)?;
    if let Some(description) = &new.description {
        checks::text("#/description", description)?;
    }
    recipients("#/recipients", &new.recipients)?;
    if let Some(escalation) = &new.escalation {
        let minutes = u64::from(escalation.after_minutes);
        range("#/escalation/after_minutes", minutes, minutes_range())?;
        recipients("#/escalation/recipients", &escalation.recipients)?;
    }
    watch(&new.watch).map_err(|error| error.within(new.watch.kind().as_str()))
}

fn watch(watch: &Watch) -> Result<()> {
    match watch {
        Watch::ExpectedFile(expected) => {
            range("#/files_min", expected.files_min, (1, 1_000_000))?;
            let late = u64::from(expected.late_minutes);
            range(
                "#/late_minutes",
                late,
                (0, u64::from(limit::ALERT_MINUTES_MAX)),
            )?;
            if expected.opens == expected.closes {
                let detail = "A window closes at another time than it opens.";
                return Err(Error::field("#/closes", "empty", detail));
            }
            if expected.day_rule == DayRule::NotOnHolidays && expected.calendar.is_none() {
                let detail = "Name the calendar that has the holidays.";
                return Err(Error::field("#/calendar_id", "missing", detail));
            }
            Ok(())
        }
        Watch::Threshold(threshold) => {
            range("#/minutes", u64::from(threshold.minutes), minutes_range())?;
            match &threshold.measure {
                Measure::Entries { filter: wanted } => filter(wanted),
                Measure::QueueAge => Ok(()),
                Measure::FailedShare { .. } => range("#/above", threshold.above, (0, 99)),
            }
        }
        Watch::Absence(absence) => {
            range("#/minutes", u64::from(absence.minutes), minutes_range())?;
            filter(&absence.filter)
        }
        Watch::Rate(rate) => check_rate(rate),
        Watch::FirstSeen(first) => check_first(first),
        Watch::Expiry(Expiry { what, days }) => {
            named("#/what", what)?;
            range("#/days", u64::from(*days), (1, u64::from(EXPIRY_DAYS_MAX)))
        }
        Watch::Health(Health { what, minutes }) => {
            named("#/what", what)?;
            range("#/minutes", u64::from(*minutes), minutes_range())
        }
    }
}

fn check_rate(rate: &Rate) -> Result<()> {
    // Twice the time is looked at.
    let most = u64::from(limit::ALERT_MINUTES_MAX / 2);
    range("#/minutes", u64::from(rate.minutes), (1, most))?;
    if rate.rises_percent.is_none() && rate.falls_percent.is_none() {
        let detail = "Say by how much it rises or falls.";
        return Err(Error::field("#/rises_percent", "missing", detail));
    }
    if let Some(percent) = rate.rises_percent {
        let most = u64::from(RISES_PERCENT_MAX);
        range("#/rises_percent", u64::from(percent), (1, most))?;
    }
    if let Some(percent) = rate.falls_percent {
        range("#/falls_percent", u64::from(percent), (1, 100))?;
    }
    filter(&rate.filter)
}

fn check_first(first: &FirstSeen) -> Result<()> {
    named("#/what", &first.what)?;
    let days = u64::from(first.learning_days);
    range("#/learning_days", days, (0, u64::from(LEARNING_DAYS_MAX)))?;
    let factor = u64::from(first.volume_factor);
    range("#/volume_factor", factor, (1, u64::from(VOLUME_FACTOR_MAX)))
}

fn filter(filter: &EntryFilter) -> Result<()> {
    for (pointer, list) in [
        ("#/filter/types", &filter.types),
        ("#/filter/operations", &filter.operations),
    ] {
        if list.len() > limit::FILTER_VALUES_MAX {
            let detail = format!("At most {}.", limit::FILTER_VALUES_MAX);
            return Err(Error::field(pointer, "too_many", detail));
        }
        for (at, text) in list.iter().enumerate() {
            checks::text(&format!("{pointer}/{at}"), text)?;
        }
    }
    for (at, text) in filter.types.iter().enumerate() {
        let is_known = EventType::ALL.iter().any(|kind| {
            kind.as_str() == text || text.strip_suffix(".*") == kind.as_str().split('.').next()
        });
        if !is_known || text.starts_with("alert.") {
            let pointer = format!("#/filter/types/{at}");
            let detail = format!("`{text}` is no type of event that can be counted.");
            return Err(Error::field(&pointer, "unknown_type", detail));
        }
    }
    let statuses = [Outcome::Success, Outcome::Denied, Outcome::Error];
    if let Some(status) = &filter.status
        && !statuses.iter().any(|known| known.as_str() == status)
    {
        let detail = "One of `success`, `denied` and `error`.";
        return Err(Error::field("#/filter/status", "unknown", detail));
    }
    if let Some(user) = &filter.user {
        checks::text("#/filter/user", user)?;
    }
    Ok(())
}

fn recipients(pointer: &str, recipients: &[String]) -> Result<()> {
    if recipients.len() > limit::RECIPIENTS_MAX {
        let detail = format!("At most {} recipients.", limit::RECIPIENTS_MAX);
        return Err(Error::field(pointer, "too_many", detail));
    }
    for (at, text) in recipients.iter().enumerate() {
        checks::text(&format!("{pointer}/{at}"), text)?;
    }
    Ok(())
}

fn named<T>(pointer: &str, what: &[T]) -> Result<()> {
    if what.is_empty() {
        return Err(Error::field(pointer, "missing", "Name one at least."));
    }
    Ok(())
}

fn minutes_range() -> (u64, u64) {
    (1, u64::from(limit::ALERT_MINUTES_MAX))
}

fn range(pointer: &str, value: u64, (least, most): (u64, u64)) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let detail = format!("Must be {least} to {most}.");
    Err(Error::field(pointer, "out_of_range", detail))
}
