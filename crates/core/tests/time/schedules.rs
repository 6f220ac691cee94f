use std::collections::BTreeMap;

use bailee_core::{NewSchedule, NewTarget, NewTransfer, TransferFilter, parse_end};
use bailee_model::{
    DayRule, ErrorKind, JobKind, Misfire, MisfireRule, Schedule, ScheduleResult, ScheduleRun,
    Timing,
};

use serde_json::json;

use crate::kit::{PAGE, World, time};

async fn schedule(world: &World, cron: &str, misfire: MisfireRule) -> Schedule {
    let ends = (parse_end("/out/").unwrap(), parse_end("/in/").unwrap());
    let target = NewTarget::Transfer {
        transfer: Box::new(NewTransfer::new(ends.0, ends.1)),
        deadline_seconds: None,
    };
    schedule_of(world, (cron, misfire), target).await
}

async fn schedule_of(
    world: &World,
    (cron, misfire): (&str, MisfireRule),
    target: NewTarget,
) -> Schedule {
    let new = NewSchedule {
        name: cron.to_owned(),
        description: None,
        timing: Timing::daily(
            cron.parse().unwrap(),
            "Europe/Berlin".parse().unwrap(),
            DayRule::EveryDay,
        ),
        calendar: None,
        jitter_seconds: 0,
        misfire: Misfire {
            rule: misfire,
            ..Misfire::default()
        },
        target,
    };
    let schedules = world.core.schedules();
    schedules.create(&world.caller, new).await.unwrap()
}

async fn runs(world: &World, schedule: &Schedule) -> Vec<ScheduleRun> {
    let schedules = world.core.schedules();
    let page = schedules.runs(&world.caller, schedule.id, PAGE).await;
    page.unwrap().data
}

async fn next(world: &World, schedule: &Schedule) -> String {
    let schedules = world.core.schedules();
    let shown = schedules.get(&world.caller, schedule.id).await.unwrap();
    shown.next_at.unwrap().to_string()
}

async fn transfers(world: &World) -> usize {
    let filter = TransferFilter::default();
    let transfers = world.core.transfers();
    let page = transfers.list(&world.caller, filter, PAGE).await;
    page.unwrap().data.len()
}

#[tokio::test]
async fn a_year_of_nights_has_a_run_each() {
    let world = World::at("2026-01-01T12:00:00Z").await;
    world.upload("/out/a.txt", b"a").await;
    let nightly = schedule(&world, "30 2 * * *", MisfireRule::RunOnce).await;
    for night in 1..=90 {
        let due = world.core.schedules().get(&world.caller, nightly.id).await;
        world.set(&due.unwrap().next_at.unwrap().to_string());
        assert_eq!(world.fire().await, 1);
        assert_eq!(world.fire().await, 0, "it is done");
        assert_eq!(runs(&world, &nightly).await.len(), night);
    }
    // The night in which the clocks jump over 02:30 has its run at 03:00.
    let shifted = time("2026-03-29T01:00:00Z");
    let ran = runs(&world, &nightly).await;
    assert!(ran.iter().any(|run| run.due_at == shifted));
    assert_eq!(transfers(&world).await, 90);
}

#[tokio::test]
async fn two_nodes_that_hold_the_same_job_start_one_run() {
    let world = World::at("2026-11-22T09:00:00Z").await;
    world.upload("/out/a.txt", b"a").await;
    let hourly = schedule(&world, "@hourly", MisfireRule::RunOnce).await;
    world.set("2026-11-22T10:00:00Z");
    let paused = world.lease(JobKind::FireSchedule, "one").await;
    // The first node pauses for longer than its lease, the second takes over.
    world.set("2026-11-22T10:01:00Z");
    let taken = world.lease(JobKind::FireSchedule, "two").await;
    assert_eq!((paused.len(), taken.len()), (1, 1));
    world.core.schedules().fire(&taken[0]).await.unwrap();
    let late = world.core.schedules().fire(&paused[0]).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::StateConflict);
    assert_eq!(runs(&world, &hourly).await.len(), 1);
    assert_eq!(transfers(&world).await, 1);
    assert_eq!(next(&world, &hourly).await, "2026-11-22T11:00:00.000Z");
}

#[tokio::test]
async fn a_clock_that_is_set_back_repeats_nothing() {
    let world = World::at("2026-11-22T09:30:00Z").await;
    world.upload("/out/a.txt", b"a").await;
    let hourly = schedule(&world, "@hourly", MisfireRule::RunAll).await;
    world.set("2026-11-22T11:00:10Z");
    world.fire().await;
    assert_eq!(runs(&world, &hourly).await.len(), 2);
    world.set("2026-11-22T09:45:00Z");
    assert_eq!(world.fire().await, 0);
    // Even if somebody has it begin anew from the clock.
    let schedules = world.core.schedules();
    schedules.resume(&world.caller, hourly.id).await.unwrap();
    assert_eq!(next(&world, &hourly).await, "2026-11-22T10:00:00.000Z");
    world.set("2026-11-22T12:00:00Z");
    world.fire().await;
    let due: Vec<_> = runs(&world, &hourly)
        .await
        .into_iter()
        .map(|run| run.due_at)
        .collect();
    let at = |hour: u32| time(&format!("2026-11-22T{hour}:00:00Z"));
    assert_eq!(due, [at(12), at(11), at(10)]);
    assert_eq!(transfers(&world).await, 3);
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_starts_one_run() {
    let world = World::at("2026-11-22T09:30:00Z").await;
    world.upload("/out/a.txt", b"a").await;
    let each = schedule(&world, "*/5 * * * *", MisfireRule::RunOnce).await;
    world.set("2026-12-22T09:32:00Z");
    world.fire().await;
    let ran = runs(&world, &each).await;
    assert_eq!(
        (ran.len(), ran[0].due_at),
        (1, time("2026-12-22T09:30:00Z"))
    );
    assert_eq!(transfers(&world).await, 1);
}

#[tokio::test]
async fn what_is_changed_while_it_fires_is_looked_at_again() {
    let world = World::at("2026-11-22T09:00:00Z").await;
    world.upload("/out/a.txt", b"a").await;
    let hourly = schedule(&world, "@hourly", MisfireRule::RunOnce).await;
    world.set("2026-11-22T10:00:00Z");
    let lease = world.lease(JobKind::FireSchedule, "one").await.remove(0);
    let schedules = world.core.schedules();
    schedules.pause(&world.caller, hourly.id).await.unwrap();
    // Its job is gone with its times: nobody starts anything.
    assert!(schedules.fire(&lease).await.is_err());
    assert!(runs(&world, &hourly).await.is_empty());
    world.set("2026-11-22T10:30:00Z");
    schedules.resume(&world.caller, hourly.id).await.unwrap();
    assert_eq!(next(&world, &hourly).await, "2026-11-22T11:00:00.000Z");
    assert_eq!(transfers(&world).await, 0);
}

#[tokio::test]
async fn a_source_that_is_not_there_is_told_and_the_next_time_comes() {
    let world = World::at("2026-11-22T09:00:00Z").await;
    let hourly = schedule(&world, "@hourly", MisfireRule::RunOnce).await;
    world.set("2026-11-22T10:00:00Z");
    world.fire().await;
    let ran = runs(&world, &hourly).await;
    let ScheduleResult::Refused { code, .. } = &ran[0].result else {
        unreachable!("{ran:?}");
    };
    assert!(code.ends_with("not_found"), "{code}");
    world.upload("/out/a.txt", b"a").await;
    world.set("2026-11-22T11:00:00Z");
    world.fire().await;
    let ran = runs(&world, &hourly).await;
    assert!(
        matches!(ran[0].result, ScheduleResult::Transfer { .. }),
        "{ran:?}"
    );
}

#[tokio::test]
async fn a_flow_is_started_once_for_each_time_even_if_it_is_told_twice() {
    let world = World::at("2026-11-22T09:30:00Z").await;
    let document =
        json!({"name": "archive", "steps": [{"id": "keep", "kind": "copy", "to": "/archive/"}]});
    let flows = world.core.flows();
    let flow = flows.create(&world.caller, document).await.unwrap();
    let target = NewTarget::Flow {
        flow: flow.id,
        params: BTreeMap::new(),
    };
    let hourly = schedule_of(&world, ("@hourly", MisfireRule::RunAll), target).await;
    world.set("2026-11-22T10:00:00Z");
    let paused = world.lease(JobKind::FireSchedule, "one").await.remove(0);
    world.set("2026-11-22T10:01:00Z");
    let taken = world.lease(JobKind::FireSchedule, "two").await.remove(0);
    world.core.schedules().fire(&taken).await.unwrap();
    // It tells the flow of the same time once more, before it finds out that it is late.
    assert!(world.core.schedules().fire(&paused).await.is_err());
    world.set("2026-11-22T11:00:00Z");
    world.fire().await;
    let ran = runs(&world, &hourly).await;
    let mut named = std::collections::BTreeSet::new();
    for run in &ran {
        let ScheduleResult::FlowRun { run } = run.result else {
            unreachable!("{run:?}");
        };
        let view = flows.run(&world.caller, run).await.unwrap();
        assert_eq!(view.run.trigger.kind, "schedule");
        named.insert(run);
    }
    assert_eq!((ran.len(), named.len()), (2, 2));
    let filter = bailee_core::RunFilter::default();
    let all = flows.runs(&world.caller, filter, PAGE).await.unwrap();
    assert_eq!(all.data.len(), 2);
}
