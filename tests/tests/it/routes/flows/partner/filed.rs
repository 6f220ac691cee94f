//! Files that are as they should be.

use bailee_model::{Timestamp, Zone};
use serde_json::{Value, json};

use super::super::{completed, ended, names, paths, step};
use super::{World, all_completed, between, states, table};

/// Hours and minutes of a time, as minutes.
fn minutes(time: &Value) -> i32 {
    let time = time.as_str().unwrap();
    let number = |at: usize| time[at..at + 2].parse::<i32>().unwrap();
    number(11) * 60 + number(14)
}

/// The schedule of the flow's document.
async fn schedule(world: &World) -> Value {
    let found = world.admin().all("/schedules?limit=10").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["name"], "partner-csv");
    found[0].clone()
}

#[tokio::test]
async fn the_flow_has_its_times_from_the_document() {
    let world = World::scheduled().await;
    let admin = world.admin();
    let found = schedule(&world).await;
    let own = format!("/schedules/{}", found["schedule_id"].as_str().unwrap());
    let flow = admin.get(&world.flow).send().await.is(200).json();
    assert_eq!(
        (&found["stands_in"], &found["flow"]["flow_id"]),
        (&flow["flow_id"], &flow["flow_id"])
    );
    assert_eq!(
        (&found["state"], &found["cron"], &found["time_zone"]),
        (
            &json!("active"),
            &json!("*/5 * * * *"),
            &json!("Europe/Berlin")
        )
    );
    // The next five minutes of the clock that come, to the second.
    let next = &found["next_at"];
    assert!(next.as_str().unwrap().ends_with(":00.000Z"), "{found}");
    assert_eq!(minutes(next) % 5, 0, "{found}");
    let wait = (minutes(next) - minutes(&flow["created_at"])).rem_euclid(24 * 60);
    assert!((0..=5).contains(&wait), "{found} {flow}");
    let times = admin.get(&format!("{own}/next?count=2")).send().await;
    let times = times.is(200).json();
    let apart = minutes(&times["data"][1]["at"]) - minutes(&times["data"][0]["at"]);
    assert_eq!(apart.rem_euclid(24 * 60), 5, "{times}");
    // It changes with the document alone.
    let pause = admin.post(&format!("{own}/pause")).send().await;
    pause.problem(409, "state_conflict");
    let gone = admin.delete(&own).send().await;
    gone.problem(409, "state_conflict");
}

#[tokio::test]
async fn a_time_starts_the_flow() {
    let mut world = World::scheduled().await;
    world.server.stop();
    for statement in [
        "UPDATE schedule SET next_at = next_at - 300000",
        "UPDATE job SET run_at = run_at - 300000 WHERE kind = 'fire_schedule'",
    ] {
        world.server.rewrite(statement).await;
    }
    world.server.start_again().await;
    let begun = std::time::Instant::now();
    while world.runs().await.is_empty() {
        assert!(begun.elapsed() < crate::kit::PATIENCE, "no time came");
        tokio::time::sleep(crate::kit::LOOK_EVERY).await;
    }
    let first = world.runs().await.pop().unwrap();
    let run = ended(&world.admin(), first["run_id"].as_str().unwrap()).await;
    completed(&run);
    assert_eq!(run["trigger"], "schedule");
    assert_eq!(run["trigger_facts"]["schedule"], "partner-csv");
    // Nothing waits at the partner's.
    assert_eq!(states(&run), [("fetch", "completed")]);
}

#[tokio::test]
async fn the_times_change_and_go_with_the_document() {
    let world = World::scheduled().await;
    let admin = world.admin();
    let found = schedule(&world).await;
    let flow = admin.get(&world.flow).send().await.is(200).json();
    let switch = |on: bool| admin.patch(&world.flow).json(&json!({"enabled": on}));
    switch(false).send().await.is(200);
    let held = schedule(&world).await;
    assert_eq!(
        (&held["state"], &held["next_at"]),
        (&json!("paused"), &Value::Null)
    );
    switch(true).send().await.is(200);
    assert_eq!(schedule(&world).await["state"], "active");
    let mut document = flow["document"].clone();
    document["triggers"] = json!([{"kind": "schedule", "cron": "0 6 * * *"}, {"kind": "schedule", "cron": "0 18 * * *"}]);
    let newer = admin.put(&world.flow).json(&document).send().await;
    newer.is(200);
    let mut both = admin.all("/schedules?limit=10").await;
    both.sort_by_key(|schedule| schedule["cron"].to_string());
    assert_eq!(
        both.iter().map(|one| &one["name"]).collect::<Vec<_>>(),
        ["partner-csv 2", "partner-csv"]
    );
    assert_eq!(both[1]["schedule_id"], found["schedule_id"]);
    world.rests().await;
    admin.delete(&world.flow).send().await.is(204);
    assert!(admin.all("/schedules?limit=10").await.is_empty());
}

#[tokio::test]
async fn what_a_partner_puts_up_is_filed_by_date() {
    let world = World::new().await;
    let admin = world.admin();
    let (first, second) = (table("anvil"), table("bucket"));
    world.offer(&world.gpg, "a.csv", &first);
    world.offer(&world.gpg, "b.csv", &second);
    let run = world.begin().await;
    let done = ended(&admin, &run).await;
    completed(&done);
    assert_eq!(states(&done), all_completed());
    let day = done["created_at"].as_str().unwrap();
    let filed = world.filed().await;
    let keys: Vec<&str> = filed.keys().map(String::as_str).collect();
    let [a, b] = ["a.csv", "b.csv"].map(|name| format!("prices/{}/{name}", berlin(day)));
    assert_eq!(keys, [a.as_str(), b.as_str()]);
    assert_eq!((&filed[&a], &filed[&b]), (&first, &second));
    assert_eq!(world.waiting(), [""; 0]);
    let told = world.told(&run).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0]["data"]["message"],
        "2 price lists filed: a.csv, b.csv"
    );
    let bytes = (first.len() + second.len()).to_string();
    assert_eq!(told[0]["data"]["fields"]["bytes"], json!(bytes));
    // What was plain in between is gone; what proves who sent it stays.
    assert_eq!(between(&admin, &run).await, 0);
    let mut kept = names(&admin, "/partner/signatures").await;
    kept.sort();
    assert_eq!(kept, ["a.csv.pgp.sig", "b.csv.pgp.sig"]);
    assert_eq!(paths(&step(&done, "verify")["files"]).len(), 2);
    journal_is_right(&world, &run).await;
    // Nothing waits any more: the next run ends after its first step, and says nothing.
    let idle = world.begin().await;
    let done = ended(&admin, &idle).await;
    completed(&done);
    assert_eq!(states(&done), [("fetch", "completed")]);
    assert!(world.told(&idle).await.is_empty());
    assert_eq!(world.filed().await, filed);
}

/// The day of a time as the keys have it: by the clocks of the document's zone.
fn berlin(time: &str) -> String {
    let time: Timestamp = serde_json::from_value(json!(time)).unwrap();
    let zone: Zone = "Europe/Berlin".parse().unwrap();
    zone.day(time).replace('-', "/")
}

/// The run's journal tells of its start, of each step's begin and end, of the notice, and of its end.
async fn journal_is_right(world: &World, run: &str) {
    let admin = world.admin();
    let path = format!("/flow-runs/{run}/journal?limit=100");
    let begun = std::time::Instant::now();
    let log = loop {
        let log = admin.all(&path).await;
        if log
            .iter()
            .any(|line| line["operation"] == "flow_runs.complete")
        {
            break log;
        }
        assert!(begun.elapsed() < crate::kit::PATIENCE, "{log:?}");
        tokio::time::sleep(crate::kit::LOOK_EVERY).await;
    };
    let count = |operation: &str| {
        let of = log.iter().filter(|line| line["operation"] == operation);
        of.count()
    };
    for (operation, times) in [
        ("flows.run", 1),
        ("flow_runs.start", 1),
        ("flow_runs.notify", 1),
        ("flow_runs.complete", 1),
    ] {
        assert_eq!(count(operation), times, "{operation}: {log:?}");
    }
    for key in super::STEPS {
        let of = |line: &&Value| line["data"]["step"] == key && line["status"] == "success";
        assert!(log.iter().any(|line| of(&line)), "{key}: {log:?}");
    }
}
