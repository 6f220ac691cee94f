//! The server dies in each step: the run ends as it would have, and what it does is done once.
#![expect(
    clippy::disallowed_methods,
    reason = "the moment of a kill is compared with the times of steps"
)]

use std::time::SystemTime;

use bailee_model::Timestamp;
use serde_json::{Value, json};

use super::super::{completed, ended, get, step};
use super::{STEPS, World, all_completed, between, states, table};

/// A step may end in the moment in which it is seen at work; then another run is killed in its place.
const TRIES_MAX: usize = 20;
/// Commits take so many microseconds longer while a step is waited for, so that no step is too short to be met.
const DELAY_US: u32 = 100_000;

#[tokio::test]
async fn a_run_outlives_a_kill_in_each_of_its_steps() {
    let mut world = World::new().await;
    let mut tables = Vec::new();
    for key in STEPS {
        let mut was_met = false;
        while !was_met {
            let name = format!("{key}-{}", tables.len());
            let text = table(&name);
            world.offer(&world.gpg, &format!("{name}.csv"), &text);
            tables.push(text);
            was_met = killed_in(&mut world, key).await;
            // All tables of all runs, each once and whole.
            let filed = world.filed().await;
            let mut found: Vec<&String> = filed.values().collect();
            let mut expected: Vec<&String> = tables.iter().collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{key}");
            assert!(tables.len() < STEPS.len() + TRIES_MAX, "{key} is too short");
        }
    }
}

/// Starts a run, kills the server in a step of it, starts the server again and waits for the run's end. Whether the step was
/// at work at that moment.
async fn killed_in(world: &mut World, key: &str) -> bool {
    let (calls, delay_us) = if is_postgres() {
        ("sendto,sendmsg,writev", DELAY_US / 10)
    } else {
        ("fdatasync,fsync", DELAY_US)
    };
    let slow = format!("inject={calls}:delay_enter={delay_us}");
    let run = world.begin().await;
    let tracer = world
        .server
        .attach_strace(&["-e", &format!("trace={calls}"), "-e", &slow])
        .await;
    is_at_work(world, &run, key).await;
    world.server.kill();
    let killed_at = now();
    drop(tracer);
    world.server.start_again().await;
    let admin = world.admin();
    let done = ended(&admin, &run).await;
    completed(&done);
    assert_eq!(states(&done), all_completed());
    assert_eq!(world.waiting(), [""; 0], "{key}");
    assert_eq!(between(&admin, &run).await, 0, "{key}");
    // One notice, told as the same event however often it was delivered.
    assert_eq!(world.told(&run).await.len(), 1, "{key}");
    let step = step(&done, key);
    time(&step["started_at"]) <= killed_at && killed_at < time(&step["finished_at"])
}

/// Waits until a step of a run began.
async fn is_at_work(world: &World, run: &str, key: &str) {
    let admin = world.admin();
    let begun = std::time::Instant::now();
    loop {
        let found = get(&admin, run).await;
        let steps = found["steps"].as_array().unwrap();
        if steps.iter().any(|step| step["key"] == key) {
            return;
        }
        assert!(begun.elapsed() < crate::kit::PATIENCE, "{found}");
    }
}

fn is_postgres() -> bool {
    std::env::var("BAILEE_TEST_DATABASE").is_ok_and(|kind| kind == "postgres")
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_ms(since.unwrap().as_millis() as i64)
}

fn time(shown: &Value) -> Timestamp {
    serde_json::from_value(json!(shown)).unwrap()
}
