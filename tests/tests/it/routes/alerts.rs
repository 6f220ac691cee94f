//! `/alerts`, and what raises them.

use std::time::Instant;

use serde_json::{Value, json};

use crate::kit::{Api, LOOK_EVERY, PATIENCE, Receiver, Server};

async fn rule(admin: &Api, kind: &str, part: Value) -> Value {
    let mut wish = json!({
        "name": format!("{kind} rule"), "kind": kind, "recipients": ["ops"],
        "escalation": {"after_minutes": 30, "recipients": ["head", "ops"]},
    });
    wish[kind] = part;
    admin
        .post("/alert-rules")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json()
}

fn of(rule: &Value) -> String {
    format!(
        "/alerts?limit=100&alert_rule_id={}",
        rule["alert_rule_id"].as_str().unwrap()
    )
}

fn own(alert: &Value) -> String {
    format!("/alerts/{}", alert["alert_id"].as_str().unwrap())
}

/// The alerts of a rule, once they are as wanted.
async fn alerts_that(admin: &Api, rule: &Value, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = admin.all(&of(rule)).await;
        if wanted(&found) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn first(admin: &Api, rule: &Value) -> Value {
    alerts_that(admin, rule, |found| !found.is_empty())
        .await
        .remove(0)
}

/// A rule that an upload breaks.
fn uploads() -> Value {
    json!({"measure": "entries", "above": 0, "minutes": 60, "filter": {"types": ["file.uploaded"], "path_prefix": "/in"}})
}

fn acts(alert: &Value) -> Vec<&str> {
    let steps = alert["history"].as_array().unwrap().iter();
    steps.map(|step| step["act"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn one_incident_is_one_alert_and_people_deal_with_it() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let wish = json!({"url": receiver.url, "types": ["alert.*"], "ordering": "subject"});
    admin.post("/webhooks").json(&wish).send().await.is(201);
    let rule = rule(&admin, "threshold", uploads()).await;
    admin.upload("/elsewhere/a.txt", b"a").await;
    admin.upload("/in/a.txt", b"a").await;
    let alert = first(&admin, &rule).await;
    assert_eq!(
        (&alert["state"], &alert["problem"]),
        (&json!("firing"), &json!("above"))
    );
    assert_eq!(
        (&alert["facts"]["value"], &alert["recipients"]),
        (&json!(1), &json!(["ops"]))
    );
    let taken = admin
        .post(&format!("{}/acknowledge", own(&alert)))
        .json(&json!({"note": "on it"}))
        .send()
        .await;
    let taken = taken.is(200).json();
    assert_eq!(
        (&taken["state"], &taken["escalates_at"]),
        (&json!("acknowledged"), &json!(null))
    );
    assert_eq!(taken["history"][1]["note"], "on it");
    let again = admin.post(&format!("{}/acknowledge", own(&alert)));
    again.send().await.problem(409, "state_conflict");
    let asleep = admin
        .post(&format!("{}/snooze", own(&alert)))
        .json(&json!({"seconds": 1}))
        .send()
        .await;
    assert_eq!(asleep.is(200).json()["state"], "snoozed");
    let awake = alerts_that(&admin, &rule, |found| found[0]["state"] == "firing").await;
    assert_eq!(acts(&awake[0]), ["open", "acknowledge", "snooze", "wake"]);
    admin
        .post(&format!("{}/resolve", own(&alert)))
        .send()
        .await
        .is(200);
    // It goes on, and that is known.
    admin.upload("/in/b.txt", b"b").await;
    admin.upload("/in/c.txt", b"c").await;
    let told = receiver.wait_for(5).await;
    let types = told.iter().map(|told| told.json()["type"].clone());
    let wanted = ["opened", "acknowledged", "snoozed", "changed", "resolved"];
    assert!(types.eq(wanted.map(|act| json!(format!("alert.{act}")))));
    assert_eq!(admin.all(&of(&rule)).await.len(), 1);
    assert!(admin.all("/alerts?limit=9&state=firing").await.is_empty());
    let over = admin.all("/alerts?limit=9&state=resolved&severity=warning");
    assert_eq!(over.await.len(), 1);
}

#[tokio::test]
async fn an_alert_is_its_tenants_and_takes_a_scope() {
    let server = Server::start().await;
    let admin = server.admin();
    let rule = rule(&admin, "threshold", uploads()).await;
    admin.upload("/in/a.txt", b"a").await;
    let alert = first(&admin, &rule).await;
    let other = server.tenant("bolt").await;
    other
        .get(&own(&alert))
        .send()
        .await
        .problem(404, "not_found");
    other
        .post(&format!("{}/resolve", own(&alert)))
        .send()
        .await
        .problem(404, "not_found");
    let reader = admin.scoped(&["alerts:read"]).await;
    reader.get(&own(&alert)).send().await.is(200);
    reader
        .post(&format!("{}/resolve", own(&alert)))
        .send()
        .await
        .problem(403, "insufficient_scope");
    for (body, pointer) in [
        (json!({}), "#/until"),
        (json!({"seconds": 3_000_000}), "#/until"),
        (json!({"until": "2020-01-01T00:00:00Z"}), "#/until"),
    ] {
        let refused = admin
            .post(&format!("{}/snooze", own(&alert)))
            .json(&body)
            .send()
            .await;
        let problem = refused.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    // With its rule goes what it raised.
    let path = format!("/alert-rules/{}", rule["alert_rule_id"].as_str().unwrap());
    admin.delete(&path).send().await.is(204);
    let over = admin.get(&own(&alert)).send().await.is(200).json();
    assert_eq!(over["state"], "resolved");
}

#[tokio::test]
async fn what_nobody_takes_escalates_also_after_a_restart() {
    let mut server = Server::start().await;
    let admin = server.admin();
    let rule = rule(&admin, "threshold", uploads()).await;
    admin.upload("/in/a.txt", b"a").await;
    let alert = first(&admin, &rule).await;
    assert!(alert["escalates_at"].is_string());
    server.stop();
    // Half an hour passes.
    server
        .rewrite(
            "UPDATE alert SET body = replace(body, '\"escalates_at\":\"2', '\"escalates_at\":\"1')",
        )
        .await;
    server
        .rewrite("UPDATE job SET run_at = 0 WHERE kind = 'watch_rule'")
        .await;
    server.start_again().await;
    let admin = server.admin();
    let told = alerts_that(&admin, &rule, |found| found[0]["escalated_at"].is_string()).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (acts(&told[0]), &told[0]["recipients"]),
        (vec!["open", "escalate"], &json!(["ops", "head"]))
    );
    let feed = admin
        .get("/events?after=0&type=alert.escalated&wait=30")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(feed["data"][0]["data"]["alert_id"], alert["alert_id"]);
}

#[tokio::test]
async fn a_file_that_does_not_come_is_told_once_and_over_when_it_comes() {
    let mut server = Server::start().await;
    let admin = server.admin();
    // In the time zone where it is noon now, the window closed an hour ago.
    let file = admin.upload("/x.txt", b"x").await;
    let now = file["created_at"].as_str().unwrap();
    let (date, hour) = (now[..10].to_owned(), now[11..13].parse::<i32>().unwrap());
    let ahead = 12 - hour;
    let part = json!({
        "folder": "/in", "pattern": "*.csv", "opens": "10:00", "closes": "11:00", "bytes_min": 3, "files_min": 2,
        "time_zone": format!("Etc/GMT{:+}", -ahead).replace("GMT+0", "GMT"),
    });
    let rule = rule(&admin, "expected_file", part).await;
    server.stop();
    // It is watched since it opened.
    let opens = format!(
        "{date}T10:00:00{}{:02}:00",
        if ahead < 0 { '-' } else { '+' },
        ahead.abs()
    );
    let watching = format!("UPDATE alert_rule SET memory = '{{\"window\":\"{opens}\"}}'");
    server.rewrite(&watching).await;
    server
        .rewrite("UPDATE job SET run_at = 0 WHERE kind = 'watch_rule'")
        .await;
    server.start_again().await;
    let admin = server.admin();
    let alert = first(&admin, &rule).await;
    assert_eq!(alert["problem"], "missing", "{alert}");
    // What does not fit changes the problem, what fits ends it.
    admin.upload("/in/a.txt", b"not this one").await;
    admin.upload("/in/a.csv", b"abc").await;
    let few = alerts_that(&admin, &rule, |found| found[0]["problem"] == "too_few").await;
    assert_eq!(few[0]["alert_id"], alert["alert_id"]);
    admin.upload("/in/deeper/b.csv", b"ab").await;
    alerts_that(&admin, &rule, |found| found[0]["problem"] == "too_small").await;
    admin.upload("/in/c.csv", b"abcd").await;
    let over = alerts_that(&admin, &rule, |found| found[0]["state"] == "resolved").await;
    assert_eq!(acts(&over[0]), ["open", "change", "change", "resolve"]);
    assert_eq!(over.len(), 1);
}

#[tokio::test]
async fn alerts_are_raised_once_whenever_the_server_is_killed() {
    let mut server = Server::start().await;
    let mut rules = Vec::new();
    for number in 0..3 {
        let wish = json!({
            "name": format!("r{number}"), "kind": "threshold",
            "threshold": {"measure": "entries", "above": number, "minutes": 60, "filter": {"types": ["file.uploaded"]}},
        });
        let made = server.admin().post("/alert-rules").json(&wish).send().await;
        rules.push(made.is(201).json());
    }
    for round in 0..4 {
        server
            .admin()
            .upload(&format!("/in/{round}.txt"), b"a")
            .await;
        tokio::time::sleep(LOOK_EVERY * round * 4).await;
        server.kill();
        server.start_again().await;
    }
    for rule in &rules {
        let found = alerts_that(&server.admin(), rule, |found| {
            !found.is_empty() && found[0]["facts"]["value"] != json!(0)
        })
        .await;
        assert_eq!(found.len(), 1);
    }
    let feed = server.admin().all("/alerts?limit=100").await;
    assert_eq!(feed.len(), 3);
}

#[tokio::test]
async fn keys_that_run_out_and_credentials_that_are_new_are_told() {
    let server = Server::start().await;
    let admin = server.admin();
    let expiry = rule(&admin, "expiry", json!({"what": ["api_keys"], "days": 100})).await;
    let seen = rule(
        &admin,
        "first_seen",
        json!({"what": ["credential", "network"], "learning_days": 0}),
    )
    .await;
    // Known by now: the key that all of this is done with.
    admin.get("/auth/validate").send().await.is(200);
    let short = admin
        .new_key(json!({"name": "short", "scopes": ["files:read"]}))
        .await;
    let is_about = |alert: &Value| alert["subject"] == short["key_id"];
    look_now(&admin, &expiry).await;
    let found = alerts_that(&admin, &expiry, |found| found.iter().any(is_about)).await;
    let alert = found.into_iter().find(is_about).unwrap();
    assert_eq!(
        (&alert["state"], &alert["problem"]),
        (&json!("firing"), &json!("expires_soon"))
    );
    admin
        .delete(&format!("/api-keys/{}", short["key_id"].as_str().unwrap()))
        .send()
        .await
        .is(204);
    look_now(&admin, &expiry).await;
    alerts_that(&admin, &expiry, |found| {
        found
            .iter()
            .any(|alert| is_about(alert) && alert["state"] == "resolved")
    })
    .await;
    look_now(&admin, &seen).await;
    let used = admin
        .new_key(json!({"name": "fresh", "scopes": ["files:read"]}))
        .await;
    admin
        .with_key(used["api_key"].as_str().unwrap())
        .get("/auth/validate")
        .send()
        .await
        .is(200);
    let begun = Instant::now();
    loop {
        look_now(&admin, &seen).await;
        if !admin.all(&of(&seen)).await.is_empty() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "no alert");
        tokio::time::sleep(LOOK_EVERY * 10).await;
    }
    let alert = first(&admin, &seen).await;
    assert_eq!(
        (&alert["problem"], &alert["facts"]["key_id"]),
        (&json!("new_credential"), &used["key_id"])
    );
}

/// Has a rule looked at before its time: a change of it does so.
async fn look_now(admin: &Api, rule: &Value) {
    let path = format!("/alert-rules/{}", rule["alert_rule_id"].as_str().unwrap());
    let shown = admin.get(&path).send().await.is(200).json();
    let kind = shown["kind"].as_str().unwrap();
    let mut wish = json!({"name": shown["name"], "kind": kind});
    wish[kind] = shown[kind].clone();
    admin.put(&path).json(&wish).send().await.is(200);
}
