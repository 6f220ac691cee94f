#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp as Instant, ToSpan as _};
use proptest::prelude::*;

use super::*;
use crate::{Holiday, ServiceAccountId, WorkingDays};

const MINUTE_MS: i64 = 60_000;

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn timing(cron: &str, zone: &str) -> Timing {
    Timing::daily(
        cron.parse().unwrap(),
        zone.parse().unwrap(),
        DayRule::EveryDay,
    )
}

fn calendar(holidays: &[&str]) -> Calendar {
    let holidays = holidays.iter().map(|date| Holiday {
        date: date.parse().unwrap(),
        name: "free".to_owned(),
    });
    Calendar {
        id: CalendarId::from_bits(1),
        name: "ours".to_owned(),
        description: None,
        working_days: WorkingDays::USUAL,
        holidays: holidays.collect(),
        created_at: Timestamp::default(),
        revision: 1,
    }
}

fn next(timing: &Timing, after: &str, calendar: Option<&Calendar>) -> String {
    let found = timing.next(time(after), calendar);
    found.map_or("never".to_owned(), |at| at.to_string())
}

fn schedule(cron: &str, misfire: Misfire) -> Schedule {
    Schedule {
        id: ScheduleId::from_bits(77),
        name: "nightly".to_owned(),
        description: None,
        timing: timing(cron, "UTC"),
        calendar: None,
        jitter_seconds: 0,
        misfire,
        target: ScheduleTarget::Transfer {
            wish: serde_json::json!({}),
            deadline_seconds: None,
        },
        is_paused: false,
        stands_in: None,
        created_by: PrincipalId::ServiceAccount(ServiceAccountId::from_bits(1)),
        created_with: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        revision: 1,
        next_at: Some(time("2026-11-22T10:00:00Z")),
    }
}

#[test]
fn the_next_time_is_the_first_one_after() {
    let nightly = timing("30 2 * * mon-fri", "Europe/Berlin");
    // Friday; Monday is the next one.
    assert_eq!(
        next(&nightly, "2026-11-20T01:29:59Z", None),
        "2026-11-20T01:30:00.000Z"
    );
    assert_eq!(
        next(&nightly, "2026-11-20T01:30:00Z", None),
        "2026-11-23T01:30:00.000Z"
    );
    let leap = timing("0 0 29 2 *", "UTC");
    assert_eq!(
        next(&leap, "2096-03-01T00:00:00Z", None),
        "2104-02-29T00:00:00.000Z"
    );
}

#[test]
fn a_time_that_the_clocks_leave_out_is_the_first_minute_after() {
    let each = timing("*/15 2 * * *", "Europe/Berlin");
    assert_eq!(
        next(&each, "2026-03-29T00:00:00Z", None),
        "2026-03-29T01:00:00.000Z"
    );
    assert_eq!(
        next(&each, "2026-03-29T01:00:00Z", None),
        "2026-03-30T00:00:00.000Z"
    );
}

#[test]
fn a_time_that_the_clocks_show_twice_is_the_first_one() {
    let night = timing("30 2 * * *", "Europe/Berlin");
    assert_eq!(
        next(&night, "2026-10-25T00:00:00Z", None),
        "2026-10-25T00:30:00.000Z"
    );
    assert_eq!(
        next(&night, "2026-10-25T00:30:00Z", None),
        "2026-10-26T01:30:00.000Z"
    );
}

#[test]
fn days_follow_the_calendar() {
    let ours = calendar(&["2026-12-24", "*-12-25"]);
    let on = |rule, cron: &str| Timing {
        day_rule: rule,
        ..timing(cron, "UTC")
    };
    // Thursday 24 and Friday 25 are holidays, then it is the weekend.
    let from = "2026-12-23T12:00:00Z";
    let of = |rule| next(&on(rule, "0 6 24 * *"), from, Some(&ours));
    assert_eq!(of(DayRule::EveryDay), "2026-12-24T06:00:00.000Z");
    assert_eq!(of(DayRule::NotOnHolidays), "2027-01-24T06:00:00.000Z");
    assert_eq!(of(DayRule::BusinessDays), "2027-02-24T06:00:00.000Z");
    assert_eq!(of(DayRule::NextBusinessDay), "2026-12-28T06:00:00.000Z");
    let back = on(DayRule::PreviousBusinessDay, "0 6 24 * *");
    assert_eq!(
        next(&back, "2026-12-20T00:00:00Z", Some(&ours)),
        "2026-12-23T06:00:00.000Z"
    );
    // Four days that all move to Monday are one run.
    let each = on(DayRule::NextBusinessDay, "0 6 * * *");
    assert_eq!(next(&each, from, Some(&ours)), "2026-12-28T06:00:00.000Z");
    assert_eq!(
        next(&each, "2026-12-28T06:00:00Z", Some(&ours)),
        "2026-12-29T06:00:00.000Z"
    );
    // Without a calendar, Monday to Friday are worked on.
    let plain = on(DayRule::BusinessDays, "0 6 * * *");
    assert_eq!(
        next(&plain, "2026-11-20T06:00:00Z", None),
        "2026-11-23T06:00:00.000Z"
    );
}

#[test]
fn a_window_goes_past_midnight_and_bounds_hold() {
    let window = DayWindow {
        opens: "22:00".parse().unwrap(),
        closes: "02:00".parse().unwrap(),
    };
    let hourly = Timing {
        window: Some(window),
        starts_at: Some(time("2026-11-22T23:00:00Z")),
        ends_at: Some(time("2026-11-23T01:00:00Z")),
        ..timing("@hourly", "UTC")
    };
    let times = hourly.times_until(
        (time("2026-11-01T00:00:00Z"), time("2027-01-01T00:00:00Z")),
        None,
        100,
    );
    assert_eq!(
        times,
        [time("2026-11-22T23:00:00Z"), time("2026-11-23T00:00:00Z")]
    );
    for text in ["24:00", "2:30", "02:60", "02-30", ""] {
        assert!(text.parse::<DayTime>().is_err(), "{text}");
    }
}

#[test]
fn missed_times_are_dealt_with_by_the_rule() {
    let now = time("2026-11-22T12:30:00Z");
    let of = |rule| {
        let misfire = Misfire {
            rule,
            runs_max: 2,
            ..Misfire::default()
        };
        schedule("@hourly", misfire).due(now, None)
    };
    let at = |hour: u32| time(&format!("2026-11-22T{hour}:00:00Z"));
    let once = of(MisfireRule::RunOnce);
    assert_eq!(
        (once.runs, once.missed, once.last),
        (vec![at(12)], 2, Some(at(12)))
    );
    let all = of(MisfireRule::RunAll);
    assert_eq!((all.runs, all.missed), (vec![at(11), at(12)], 1));
    let skip = of(MisfireRule::Skip);
    assert_eq!(
        (skip.runs, skip.missed, skip.skipped),
        (Vec::new(), 3, Some(at(12)))
    );
    let misfire = Misfire {
        rule: MisfireRule::Skip,
        ..Misfire::default()
    };
    let in_time = schedule("@hourly", misfire).due(time("2026-11-22T10:04:00Z"), None);
    assert_eq!((in_time.runs, in_time.missed), (vec![at(10)], 0));
    let early = schedule("@hourly", misfire).due(time("2026-11-22T09:59:59Z"), None);
    assert_eq!(early, Due::default());
}

#[test]
fn after_years_the_newest_time_is_what_runs() {
    let found = schedule("* * * * *", Misfire::default()).due(time("2031-01-01T00:00:30Z"), None);
    assert_eq!(found.runs, [time("2031-01-01T00:00:00Z")]);
    assert!(found.missed >= 1000);
}

#[test]
fn jitter_stays_in_its_bounds_and_is_the_same_every_time() {
    let mut spread = schedule("@hourly", Misfire::default());
    let due = time("2026-11-22T10:00:00Z");
    assert_eq!(spread.begins_at(due), due);
    spread.jitter_seconds = 60;
    let mut seen = std::collections::BTreeSet::new();
    for hour in 0..200 {
        let due = Timestamp::from_ms(due.ms() + hour * 60 * MINUTE_MS);
        let late_ms = spread.begins_at(due).ms() - due.ms();
        assert!((0..=60_000).contains(&late_ms));
        assert_eq!(spread.begins_at(due).ms() - due.ms(), late_ms);
        seen.insert(late_ms);
    }
    assert!(seen.len() > 150);
}

/// A cron expression as plain lists; an empty list is `*`.
#[derive(Clone, Debug)]
struct Lists {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: Vec<u32>,
    months: Vec<u32>,
    weekdays: Vec<u32>,
}

impl Lists {
    fn text(&self) -> String {
        let field = |list: &Vec<u32>| match list.as_slice() {
            [] => "*".to_owned(),
            list => list
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(","),
        };
        [
            &self.minutes,
            &self.hours,
            &self.days,
            &self.months,
            &self.weekdays,
        ]
        .map(field)
        .join(" ")
    }

    fn has(&self, local: DateTime) -> bool {
        let is = |list: &Vec<u32>, number: i8| list.is_empty() || list.contains(&(number as u32));
        let weekday = local.weekday().to_sunday_zero_offset();
        let is_day = if self.days.is_empty() || self.weekdays.is_empty() {
            is(&self.days, local.day()) && is(&self.weekdays, weekday)
        } else {
            is(&self.days, local.day()) || is(&self.weekdays, weekday)
        };
        is(&self.minutes, local.minute())
            && is(&self.hours, local.hour())
            && is(&self.months, local.month())
            && is_day
    }
}

fn lists() -> impl Strategy<Value = Lists> {
    let some =
        |range: std::ops::RangeInclusive<u32>, most| proptest::collection::vec(range, 0..=most);
    (
        some(0..=59, 3),
        some(0..=4, 3),
        some(1..=31, 2),
        some(1..=12, 6),
        some(0..=6, 2),
    )
        .prop_map(|(minutes, hours, days, months, weekdays)| Lists {
            minutes,
            hours,
            days,
            months,
            weekdays,
        })
}

/// Walks minute by minute, knowing nothing but what the clocks show: a minute counts when it is shown for the first
/// time, and what the clocks jump over counts at the minute to which they jump.
fn walked(lists: &Lists, zone: &str, from: Timestamp, minutes: i64) -> Option<Timestamp> {
    let rules = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
    let local = |ms: i64| rules.to_datetime(Instant::from_millisecond(ms).unwrap());
    let mut shown = local(from.ms() - 180 * MINUTE_MS);
    for minute in -179..=minutes {
        let at = from.ms() + minute * MINUTE_MS;
        let now = local(at);
        let mut is_due = false;
        while shown < now {
            shown = shown.checked_add(1.minute()).unwrap();
            is_due |= lists.has(shown);
        }
        if is_due && minute > 0 {
            return Some(Timestamp::from_ms(at));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_next_time_is_the_one_that_a_walk_finds(
        lists in lists(),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Africa/Casablanca"]),
        day in 0_i64..400,
        minute in 0_i64..1440,
    ) {
        // From January 2026 on: both changes of the clocks of both hemispheres.
        let from = Timestamp::from_ms(time("2026-01-01T00:00:00Z").ms() + (day * 1440 + minute) * MINUTE_MS);
        let Ok(cron) = lists.text().parse::<Cron>() else {
            // It names days that no month has.
            return Ok(());
        };
        let span = 3 * 1440;
        let timing = Timing::daily(cron, zone.parse().unwrap(), DayRule::EveryDay);
        let until = Timestamp::from_ms(from.ms() + span * MINUTE_MS);
        let found = timing.next(from, None).filter(|at| *at <= until);
        prop_assert_eq!(found, walked(&lists, zone, from, span), "{} {}", lists.text(), zone);
    }

    #[test]
    fn no_text_makes_a_cron_expression_panic(text in "[-*/,0-9a-z@ ]{0,20}") {
        let read = text.parse::<Cron>();
        if let Ok(cron) = read {
            prop_assert_eq!(cron.to_string().parse::<Cron>(), Ok(cron));
        }
    }

    #[test]
    fn a_moved_day_is_a_business_day_near_by(
        lists in lists(),
        day in 0_i64..700,
        rule in prop::sample::select(vec![DayRule::BusinessDays, DayRule::NextBusinessDay, DayRule::PreviousBusinessDay, DayRule::NotOnHolidays]),
    ) {
        let Ok(cron) = lists.text().parse::<Cron>() else { return Ok(()) };
        let ours = calendar(&["2026-12-24", "*-12-25", "*-01-01", "2026-04-03", "2026-04-06"]);
        let from = Timestamp::from_ms(time("2026-01-01T00:00:00Z").ms() + day * 1440 * MINUTE_MS);
        let timing = Timing::daily(cron, Zone::utc(), rule);
        if let Some(at) = timing.next(from, Some(&ours)) {
            let date: Date = timing.zone.day(at).parse().unwrap();
            prop_assert!(!ours.is_holiday(date));
            prop_assert!(rule == DayRule::NotOnHolidays || ours.is_business_day(date));
            prop_assert!(at > from);
        }
    }
}
