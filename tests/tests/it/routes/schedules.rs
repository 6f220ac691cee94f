//! `/schedules`.

use std::time::Instant;

use serde_json::{Value, json};

use crate::kit::{Api, LOOK_EVERY, PATIENCE, Receiver, Server};

async fn make(admin: &Api, wish: &Value) -> Value {
    admin
        .post("/schedules")
        .json(wish)
        .send()
        .await
        .is(201)
        .json()
}

fn own(schedule: &Value) -> String {
    format!("/schedules/{}", schedule["schedule_id"].as_str().unwrap())
}

/// A schedule that is due once a day, half a day from now.
async fn daily(admin: &Api, name: &str, more: Value) -> Value {
    let asked = admin.get("/auth/validate").send().await;
    let now = asked.header("date").to_owned();
    let hour: u32 = now.split(' ').nth(4).unwrap()[..2].parse().unwrap();
    let mut wish = json!({
        "name": name, "cron": format!("0 {} * * *", (hour + 12) % 24),
        "transfer": {"source": "/out/", "destination": "/in/", "on_conflict": "replace"},
    });
    wish.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    make(admin, &wish).await
}

/// Leaves a stopped server as if it had been stopped for so many days.
async fn rewind(server: &Server, days: i64) {
    let ms = days * 24 * 60 * 60 * 1000;
    server
        .rewrite(&format!(
            "UPDATE schedule SET next_at = next_at - {ms} WHERE next_at IS NOT NULL"
        ))
        .await;
    server
        .rewrite(&format!(
            "UPDATE job SET run_at = run_at - {ms} WHERE kind = 'fire_schedule'"
        ))
        .await;
}

async fn runs_of(admin: &Api, schedule: &Value) -> Vec<Value> {
    admin
        .all(&format!("{}/runs?limit=100", own(schedule)))
        .await
}

/// The runs of a schedule, once there are so many.
async fn runs(admin: &Api, schedule: &Value, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = runs_of(admin, schedule).await;
        if found.len() >= count {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn nightly() -> Value {
    json!({
        "name": "nightly", "cron": "30 2 * * mon-fri", "time_zone": "Europe/Berlin", "jitter_seconds": 60,
        "window": {"opens": "02:00", "closes": "04:00"}, "deadline_seconds": 7200,
        "misfire": {"rule": "run_all", "runs_max": 3},
        "transfer": {"source": "/out/", "include": ["*.csv"], "destination": "/in/", "label": "n"},
    })
}

#[tokio::test]
async fn a_schedule_is_made_and_says_when_it_runs() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = nightly();
    let made = make(&admin, &wish).await;
    assert_eq!(
        (&made["state"], &made["day_rule"]),
        (&json!("active"), &json!("every_day"))
    );
    assert_eq!(made["transfer"]["include"], json!(["*.csv"]));
    assert_eq!(
        made["misfire"],
        json!({"rule": "run_all", "runs_max": 3, "grace_seconds": 300})
    );
    let read = admin.get(&own(&made)).send().await;
    assert_eq!(read.is(200).json(), made);
    admin
        .post("/schedules")
        .json(&wish)
        .send()
        .await
        .problem(409, "name_taken");
    let times = admin
        .get(&format!("{}/next?count=3", own(&made)))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(times["data"][0]["at"], made["next_at"]);
    for time in times["data"].as_array().unwrap() {
        assert!(
            time["local"].as_str().unwrap().contains("T02:30:00+0"),
            "{time}"
        );
    }
    admin
        .get(&format!("{}/next?count=101", own(&made)))
        .send()
        .await
        .problem(400, "invalid_parameter");
}

#[tokio::test]
async fn a_schedule_is_held_changed_let_go_and_removed() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = nightly();
    let made = make(&admin, &wish).await;
    let read = admin.get(&own(&made)).send().await;
    let paused = admin
        .post(&format!("{}/pause", own(&made)))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&paused["state"], &paused["next_at"]),
        (&json!("paused"), &json!(null))
    );
    let stale = admin
        .put(&own(&made))
        .header("if-match", read.header("etag"))
        .json(&wish)
        .send()
        .await;
    stale.problem(412, "etag_mismatch");
    let other = json!({"name": "hourly", "cron": "@hourly", "transfer": {"source": "/out/", "destination": "/in/"}});
    let replaced = admin
        .put(&own(&made))
        .json(&other)
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(
        (&replaced["state"], &replaced["cron"]),
        (&json!("paused"), &json!("0 * * * *"))
    );
    let resumed = admin
        .post(&format!("{}/resume", own(&made)))
        .send()
        .await
        .is(200)
        .json();
    assert!(
        resumed["next_at"].as_str().unwrap().contains(":00:00.000Z"),
        "{resumed}"
    );
    assert_eq!(admin.all("/schedules?limit=10").await, [resumed]);
    admin.delete(&own(&made)).send().await.is(204);
    admin
        .get(&own(&made))
        .send()
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_schedule_is_its_tenants_and_takes_a_scope() {
    let server = Server::start().await;
    let admin = server.admin();
    let made = daily(&admin, "ours", json!({})).await;
    let other = server.tenant("bolt").await;
    for path in [
        own(&made),
        format!("{}/next", own(&made)),
        format!("{}/runs", own(&made)),
    ] {
        other.get(&path).send().await.problem(404, "not_found");
    }
    for verb in ["pause", "resume"] {
        let path = format!("{}/{verb}", own(&made));
        other.post(&path).send().await.problem(404, "not_found");
    }
    let reader = admin.scoped(&["flows:read"]).await;
    reader.get(&own(&made)).send().await.is(200);
    reader
        .delete(&own(&made))
        .send()
        .await
        .problem(403, "insufficient_scope");
    // Who may not transfer may not have it done.
    let maker = admin.scoped(&["flows:read", "flows:manage"]).await;
    let wish =
        json!({"name": "sly", "cron": "@daily", "transfer": {"source": "/a", "destination": "/b"}});
    maker
        .post("/schedules")
        .json(&wish)
        .send()
        .await
        .problem(403, "insufficient_scope");
    let bound = json!({"name": "bound", "scopes": ["flows:read", "flows:manage", "transfers:write", "files:write"], "path_prefixes": ["/open"]});
    let bound = admin.new_key(bound).await;
    let bound = admin.with_key(bound["api_key"].as_str().unwrap());
    bound
        .get(&own(&made))
        .send()
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn impossible_schedules_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let with = |more: Value| {
        let mut wish = json!({"name": "a", "cron": "@daily", "transfer": {"source": "/a/", "destination": "/b/"}});
        wish.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        wish
    };
    for (wish, pointer) in [
        (json!({"name": " "}), "#/name"),
        (json!({"cron": "0 0 31 2 *"}), "#/cron"),
        (json!({"cron": "* * * * * *"}), "#/cron"),
        (json!({"time_zone": "Europe/Atlantis"}), "#/time_zone"),
        (
            json!({"calendar_id": "cal_01m7yp4jy0emq8k9w39qsaekf4"}),
            "#/calendar_id",
        ),
        (json!({"day_rule": "not_on_holidays"}), "#/calendar_id"),
        (
            json!({"window": {"opens": "25:00", "closes": "04:00"}}),
            "#/window/opens",
        ),
        (
            json!({"window": {"opens": "04:00", "closes": "04:00"}}),
            "#/window/closes",
        ),
        (
            json!({"window": {"opens": "03:00", "closes": "04:00"}}),
            "#/cron",
        ),
        (json!({"ends_at": "2020-01-01T00:00:00Z"}), "#/cron"),
        (json!({"jitter_seconds": 4000}), "#/jitter_seconds"),
        (
            json!({"cron": "* * * * *", "jitter_seconds": 60}),
            "#/jitter_seconds",
        ),
        (json!({"misfire": {"runs_max": 0}}), "#/misfire/runs_max"),
        (json!({"deadline_seconds": 0}), "#/deadline_seconds"),
        (
            json!({"transfer": {"source": "/a/", "destination": "/b/", "start_at": "2030-01-01T00:00:00Z"}}),
            "#/transfer/start_at",
        ),
        (
            json!({"transfer": {"source": "/a/", "destination": "/b/", "bandwidth": 1}}),
            "#/transfer/bandwidth",
        ),
        (
            json!({"transfer": {"source": "/a/", "sources": ["/c"], "destination": "/b/"}}),
            "#/transfer/sources",
        ),
    ] {
        let wish = with(wish);
        let refused = admin.post("/schedules").json(&wish).send().await;
        let problem = refused.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{wish}");
    }
    let unknown = with(json!({"transfer": {"source": "nowhere:/a/", "destination": "/b/"}}));
    admin
        .post("/schedules")
        .json(&unknown)
        .send()
        .await
        .problem(422, "remote_unknown");
}

#[tokio::test]
async fn a_missed_time_is_made_up_for_by_the_rule() {
    let mut server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let wish = json!({"url": receiver.url, "types": ["schedule.missed"]});
    admin.post("/webhooks").json(&wish).send().await.is(201);
    admin.upload("/out/a.txt", b"a").await;
    let once = daily(&admin, "once", json!({"deadline_seconds": 31_000_000})).await;
    let all = daily(
        &admin,
        "all",
        json!({"misfire": {"rule": "run_all", "runs_max": 2}}),
    )
    .await;
    let skip = daily(&admin, "skip", json!({"misfire": {"rule": "skip"}})).await;
    let held = daily(&admin, "held", json!({})).await;
    admin
        .post(&format!("{}/pause", own(&held)))
        .send()
        .await
        .is(200);
    server.stop();
    rewind(&server, 4).await;
    server.start_again().await;
    let admin = server.admin();
    let (ran, both, none) = (
        runs(&admin, &once, 1).await,
        runs(&admin, &all, 2).await,
        runs(&admin, &skip, 1).await,
    );
    assert_eq!(
        (ran.len(), &ran[0]["outcome"], &ran[0]["missed"]),
        (1, &json!("started"), &json!(3))
    );
    assert_eq!((both.len(), &both[1]["missed"]), (2, &json!(2)));
    assert_eq!((none.len(), &none[0]["outcome"]), (1, &json!("skipped")));
    let ended = admin
        .end_of_transfer(ran[0]["transfer_id"].as_str().unwrap())
        .await;
    assert_eq!(ended["state"], "completed");
    let transfer = format!("/transfers/{}", ran[0]["transfer_id"].as_str().unwrap());
    assert!(admin.get(&transfer).send().await.is(200).json()["deadline"].is_string());
    for schedule in [&once, &all, &skip] {
        // It goes on as before.
        let now = admin.get(&own(schedule)).send().await.is(200).json();
        assert_eq!(now["next_at"], schedule["next_at"]);
    }
    assert!(runs_of(&admin, &held).await.is_empty());
    assert_eq!(receiver.wait_for(3).await.len(), 3);
    let record = admin.records_from(3, "operation=schedules.fire").await;
    assert_eq!(record.len(), 3, "{record:?}");
}

#[tokio::test]
async fn a_schedule_has_the_rights_that_its_maker_has_then() {
    let mut server = Server::start().await;
    let admin = server.admin();
    admin.upload("/out/a.txt", b"a").await;
    let key = admin
        .new_key(json!({"name": "maker", "scopes": ["admin"]}))
        .await;
    let maker = admin.with_key(key["api_key"].as_str().unwrap());
    let made = daily(&maker, "orphan", json!({})).await;
    let path = format!("/api-keys/{}", key["key_id"].as_str().unwrap());
    admin.delete(&path).send().await.is(204);
    server.stop();
    rewind(&server, 1).await;
    server.start_again().await;
    let admin = server.admin();
    let ran = runs(&admin, &made, 1).await;
    assert_eq!(
        (&ran[0]["outcome"], &ran[0]["error_code"]),
        (&json!("refused"), &json!("credential_revoked"))
    );
    let feed = admin
        .get("/events?after=0&type=schedule.failed&wait=30")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(feed["data"][0]["data"]["schedule_id"], made["schedule_id"]);
}

#[tokio::test]
async fn each_time_has_its_run_once_whenever_the_server_is_killed() {
    let mut server = Server::start().await;
    let admin = server.admin();
    admin.upload("/out/a.txt", b"a").await;
    let mut schedules = Vec::new();
    for number in 0..4 {
        let misfire = json!({"misfire": {"rule": "run_all", "runs_max": 50}});
        schedules.push(daily(&admin, &format!("s{number}"), misfire).await);
    }
    let mut expected = 0;
    for round in 0..4 {
        server.stop();
        rewind(&server, 20).await;
        if round > 0 {
            // What ran belongs to other days, and to other minutes, so that no row is in the way of another.
            let ms = 20 * 24 * 60 * 60 * 1000_i64 + i64::from(round) * 60 * 1000;
            let shift = format!("UPDATE schedule_run SET due_at = due_at - {ms}");
            server.rewrite(&shift).await;
        }
        server.start_again().await;
        // Killed while it catches up: at another point of its work each time.
        tokio::time::sleep(LOOK_EVERY * round).await;
        server.kill();
        server.start_again().await;
        expected += 20;
        for schedule in &schedules {
            let ran = runs(&server.admin(), schedule, expected).await;
            assert_eq!(ran.len(), expected, "{ran:?}");
        }
    }
    let admin = server.admin();
    let transfers = admin.all("/transfers?limit=500").await;
    assert_eq!(transfers.len(), expected * schedules.len());
    let mut named = std::collections::BTreeSet::new();
    for schedule in &schedules {
        let ran = runs_of(&admin, schedule).await;
        named.extend(
            ran.iter()
                .map(|run| run["transfer_id"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(named.len(), transfers.len());
}
