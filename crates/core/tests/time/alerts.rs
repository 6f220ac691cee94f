use std::time::Duration;

use bailee_core::{NewAlertRule, Sleep};
use bailee_model::{
    Absence, AlertRule, DayRule, EntryFilter, Escalation, EventType, ExpectedFile, JobKind,
    Measure, Rate, Severity, Threshold, Watch,
};

use crate::kit::{PAGE, World};

fn expected() -> ExpectedFile {
    ExpectedFile {
        folder: "/in".parse().unwrap(),
        pattern: Some("*.csv".parse().unwrap()),
        remote: None,
        opens: "02:00".parse().unwrap(),
        closes: "04:00".parse().unwrap(),
        zone: "Europe/Berlin".parse().unwrap(),
        calendar: None,
        day_rule: DayRule::BusinessDays,
        files_min: 1,
        bytes_min: 2,
        late_minutes: 30,
    }
}

fn uploads(above: u64) -> Watch {
    Watch::Threshold(Threshold {
        measure: Measure::Entries {
            filter: EntryFilter::of_type(EventType::FileUploaded.as_str()),
        },
        above,
        minutes: 5,
    })
}

#[tokio::test]
async fn a_week_of_windows_is_judged_day_by_day() {
    // Thursday noon, UTC; the window is 01:00 to 03:00 UTC on business days.
    let world = World::at("2026-11-19T12:00:00Z").await;
    world.rule(Watch::ExpectedFile(Box::new(expected()))).await;
    // Friday: in time. A file before the window does not count for it.
    world.upload("/in/early.csv", b"early").await;
    world.watch_until("2026-11-20T02:00:00Z").await;
    world.upload("/in/a.csv", b"in time").await;
    world.watch_until("2026-11-20T12:00:00Z").await;
    assert!(world.told().await.is_empty());
    // No window on Saturday and Sunday; Monday: nothing comes, then something that is too small, then all is well.
    world.watch_until("2026-11-23T03:00:30Z").await;
    assert_eq!(world.told().await, ["firing late"]);
    world.watch_until("2026-11-23T03:31:00Z").await;
    assert_eq!(world.told().await, ["firing missing"]);
    world.upload("/in/b.csv", b"b").await;
    world.watch_until("2026-11-23T03:33:00Z").await;
    assert_eq!(world.told().await, ["firing too_small"]);
    world.upload("/in/c.csv", b"fine").await;
    world.watch_until("2026-11-23T03:35:00Z").await;
    assert_eq!(world.told().await, ["resolved too_small"]);
    // Tuesday and Wednesday: two incidents, two alerts.
    world.watch_until("2026-11-25T12:00:00Z").await;
    assert_eq!(
        world.told().await,
        ["resolved too_small", "firing missing", "firing missing"]
    );
    let subjects: Vec<_> = world
        .alerts()
        .await
        .into_iter()
        .map(|alert| alert.subject)
        .collect();
    assert_eq!(
        subjects[1..],
        ["2026-11-24T01:00:00.000Z", "2026-11-25T01:00:00.000Z"]
    );
    // What comes now is for the window of Wednesday.
    world.upload("/in/d.csv", b"fine").await;
    world.watch_until("2026-11-25T12:01:00Z").await;
    assert_eq!(
        world.told().await,
        ["resolved too_small", "firing missing", "resolved missing"]
    );
}

#[tokio::test]
async fn windows_that_passed_while_nobody_looked_are_judged_afterwards() {
    let world = World::at("2026-11-19T12:00:00Z").await;
    world.rule(Watch::ExpectedFile(Box::new(expected()))).await;
    world.look().await;
    world.set("2026-11-24T12:00:00Z");
    // Friday, Monday and Tuesday passed; the journal is not read yet when the first look is due.
    for lease in world.lease(JobKind::WatchRule, "one").await {
        world.core.alert_rules().look(&lease).await.unwrap();
    }
    world.watch_until("2026-11-24T12:02:00Z").await;
    assert_eq!(world.told().await, ["firing missing"; 3]);
}

#[tokio::test]
async fn an_incident_is_one_alert_until_all_is_well_again() {
    let world = World::at("2026-11-22T12:00:00Z").await;
    world.rule(uploads(1)).await;
    world.upload("/a", b"a").await;
    world.watch_until("2026-11-22T12:01:00Z").await;
    assert!(world.told().await.is_empty());
    world.upload("/b", b"b").await;
    world.upload("/c", b"c").await;
    world.watch_until("2026-11-22T12:02:00Z").await;
    assert_eq!(world.told().await, ["firing above"]);
    let alert = world.alerts().await.remove(0);
    let alerts = world.core.alerts();
    alerts.resolve(&world.caller, alert.id, None).await.unwrap();
    world.upload("/d", b"d").await;
    world.watch_until("2026-11-22T12:04:00Z").await;
    assert_eq!(
        world.told().await,
        ["resolved above"],
        "it lasts, and is known"
    );
    // Five minutes later all is well; what comes then is news.
    world.watch_until("2026-11-22T12:15:00Z").await;
    world.upload("/e", b"e").await;
    world.upload("/f", b"f").await;
    world.watch_until("2026-11-22T12:16:00Z").await;
    assert_eq!(world.told().await, ["resolved above", "firing above"]);
    world.watch_until("2026-11-22T12:30:00Z").await;
    assert_eq!(world.told().await, ["resolved above", "resolved above"]);
}

#[tokio::test]
async fn what_happened_before_does_not_count_and_nothing_counts_twice() {
    let world = World::at("2026-11-22T12:00:00Z").await;
    for _ in 0..5 {
        world.upload("/a", b"a").await;
    }
    world.pass(Duration::from_millis(1));
    world.rule(uploads(0)).await;
    world.watch_until("2026-11-22T12:02:00Z").await;
    assert!(world.told().await.is_empty());
    world.upload("/a", b"a").await;
    world.read().await;
    world.read().await;
    world.watch_until("2026-11-22T12:03:00Z").await;
    assert_eq!(world.alerts().await.remove(0).facts["value"], 1);
}

#[tokio::test]
async fn two_nodes_that_look_at_once_open_one_alert() {
    let world = World::at("2026-11-22T12:00:00Z").await;
    world.rule(uploads(0)).await;
    world.look().await;
    world.upload("/a", b"a").await;
    world.read().await;
    world.set("2026-11-22T12:01:30Z");
    let paused = world.lease(JobKind::WatchRule, "one").await.remove(0);
    world.set("2026-11-22T12:02:00Z");
    let taken = world.lease(JobKind::WatchRule, "two").await.remove(0);
    world.core.alert_rules().look(&taken).await.unwrap();
    assert!(world.core.alert_rules().look(&paused).await.is_err());
    assert_eq!(world.told().await, ["firing above"]);
}

#[tokio::test]
async fn absence_and_rate_are_about_whole_times() {
    let world = World::at("2026-11-22T12:00:00Z").await;
    let filter = EntryFilter::of_type(EventType::FileUploaded.as_str());
    let absence = Absence {
        filter: filter.clone(),
        minutes: 10,
    };
    world.rule(Watch::Absence(absence)).await;
    let rate = Rate {
        filter,
        minutes: 10,
        rises_percent: Some(100),
        falls_percent: Some(50),
        entries_min: 4,
    };
    world.rule(Watch::Rate(rate)).await;
    world.watch_until("2026-11-22T12:09:30Z").await;
    assert!(world.told().await.is_empty(), "too early to say");
    world.watch_until("2026-11-22T12:12:00Z").await;
    assert_eq!(world.told().await, ["firing absent"]);
    world.upload("/a", b"a").await;
    world.watch_until("2026-11-22T12:13:00Z").await;
    assert_eq!(world.told().await, ["resolved absent"]);
    for _ in 0..5 {
        world.upload("/a", b"a").await;
    }
    world.watch_until("2026-11-22T12:22:00Z").await;
    // Six in the ten minutes to 12:22, none in those before; then none after six.
    assert_eq!(world.told().await, ["resolved absent", "firing rose"]);
    world.watch_until("2026-11-22T12:40:00Z").await;
    assert_eq!(world.told().await[1..], ["resolved fell", "firing absent"]);
}

#[tokio::test]
async fn what_nobody_takes_escalates_once_and_what_sleeps_wakes() {
    let world = World::at("2026-11-22T12:00:00Z").await;
    let new = NewAlertRule {
        name: "uploads".to_owned(),
        description: None,
        severity: Severity::Critical,
        is_enabled: true,
        watch: uploads(0),
        recipients: vec!["ops".to_owned()],
        escalation: Some(Escalation {
            after_minutes: 2,
            recipients: vec!["head".to_owned()],
        }),
    };
    let rules = world.core.alert_rules();
    let rule: AlertRule = rules.create(&world.caller, new).await.unwrap();
    // It goes on all the time.
    let go = async |until: &str| {
        world.upload("/a", b"a").await;
        world.watch_until(until).await;
        world.alerts().await.remove(0)
    };
    let alert = go("2026-11-22T12:01:00Z").await;
    let asleep = Sleep::For(Duration::from_mins(3));
    let alerts = world.core.alerts();
    alerts
        .snooze(&world.caller, alert.id, (asleep, None))
        .await
        .unwrap();
    let alert = go("2026-11-22T12:03:30Z").await;
    assert_eq!(
        (alert.state.as_str(), alert.escalated_at),
        ("snoozed", None)
    );
    let alert = go("2026-11-22T12:05:00Z").await;
    assert_eq!((alert.state.as_str(), alert.escalated_at), ("firing", None));
    let alert = go("2026-11-22T12:07:00Z").await;
    assert!(alert.escalated_at.is_some());
    assert_eq!(alert.recipients, ["ops", "head"]);
    let again = go("2026-11-22T12:10:00Z").await;
    assert_eq!(again.escalated_at, alert.escalated_at);
    // With its rule goes what it raised.
    rules
        .delete(&world.caller, rule.id, bailee_core::Precondition::None)
        .await
        .unwrap();
    assert_eq!(world.told().await, ["resolved above"]);
    let page = rules.list(&world.caller, PAGE).await.unwrap();
    assert!(page.data.is_empty());
}
