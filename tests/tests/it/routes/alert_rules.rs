//! `/alert-rules`.

use serde_json::{Value, json};

use crate::kit::{Api, Server};

async fn make(admin: &Api, wish: &Value) -> Value {
    admin
        .post("/alert-rules")
        .json(wish)
        .send()
        .await
        .is(201)
        .json()
}

fn own(rule: &Value) -> String {
    format!("/alert-rules/{}", rule["alert_rule_id"].as_str().unwrap())
}

fn prices() -> Value {
    json!({
        "name": "prices", "kind": "expected_file", "severity": "critical", "recipients": ["ops"],
        "escalation": {"after_minutes": 30, "recipients": ["head"]},
        "expected_file": {"folder": "/in/prices", "pattern": "*.csv", "opens": "02:00", "closes": "04:00", "time_zone": "Europe/Berlin", "day_rule": "business_days"},
    })
}

#[tokio::test]
async fn a_rule_is_made_read_changed_and_removed() {
    let server = Server::start().await;
    let admin = server.admin();
    let made = make(&admin, &prices()).await;
    assert_eq!(made["expected_file"]["files_min"], 1);
    assert_eq!(
        (&made["enabled"], &made["threshold"]),
        (&json!(true), &json!(null))
    );
    let read = admin.get(&own(&made)).send().await;
    assert_eq!(read.is(200).json(), made);
    admin
        .post("/alert-rules")
        .json(&prices())
        .send()
        .await
        .problem(409, "name_taken");
    let mut wish = prices();
    wish["enabled"] = json!(false);
    wish["expected_file"]["files_min"] = json!(3);
    let changed = admin
        .put(&own(&made))
        .header("if-match", read.header("etag"))
        .json(&wish)
        .send()
        .await;
    let changed = changed.is(200).json();
    assert_eq!(
        (&changed["enabled"], &changed["expected_file"]["files_min"]),
        (&json!(false), &json!(3))
    );
    assert!(changed["watches_since"].as_str() > made["watches_since"].as_str());
    let stale = admin
        .put(&own(&made))
        .header("if-match", read.header("etag"))
        .json(&wish)
        .send()
        .await;
    stale.problem(412, "etag_mismatch");
    let other = json!({"name": "prices", "kind": "expiry", "expiry": {"what": ["api_keys"]}});
    let problem = admin
        .put(&own(&made))
        .json(&other)
        .send()
        .await
        .problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/kind");
    assert_eq!(admin.all("/alert-rules?limit=10").await, [changed]);
    admin.delete(&own(&made)).send().await.is(204);
    admin
        .get(&own(&made))
        .send()
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_rule_is_its_tenants_and_takes_a_scope() {
    let server = Server::start().await;
    let admin = server.admin();
    let made = make(&admin, &prices()).await;
    let foreign = server.tenant("bolt").await;
    foreign
        .get(&own(&made))
        .send()
        .await
        .problem(404, "not_found");
    foreign
        .delete(&own(&made))
        .send()
        .await
        .problem(404, "not_found");
    let reader = admin.scoped(&["alerts:read"]).await;
    reader.get(&own(&made)).send().await.is(200);
    let change = reader.put(&own(&made)).json(&prices()).send().await;
    change.problem(403, "insufficient_scope");
}

#[tokio::test]
async fn every_kind_is_shown_as_it_was_made() {
    let server = Server::start().await;
    let admin = server.admin();
    let filter = json!({"types": ["transfer.*"], "operations": [], "user": null, "status": "error", "path_prefix": "/in", "remote": "bank"});
    for (kind, part) in [
        (
            "threshold",
            json!({"measure": "entries", "above": 5, "minutes": 10, "filter": filter, "ended_min": null}),
        ),
        (
            "threshold",
            json!({"measure": "queue_age", "above": 600, "minutes": 15, "filter": null, "ended_min": null}),
        ),
        (
            "threshold",
            json!({"measure": "failed_share", "above": 20, "minutes": 60, "filter": null, "ended_min": 10}),
        ),
        ("absence", json!({"filter": filter, "minutes": 60})),
        (
            "rate",
            json!({"filter": filter, "minutes": 60, "rises_percent": 200, "falls_percent": null, "entries_min": 10}),
        ),
        (
            "first_seen",
            json!({"what": ["network", "credential", "hour", "volume"], "learning_days": 7, "time_zone": "Europe/Berlin", "volume_factor": 5, "volume_bytes_min": 1_073_741_824_u64}),
        ),
        ("expiry", json!({"what": ["api_keys"], "days": 14})),
        (
            "health",
            json!({"what": ["journal", "webhooks"], "minutes": 15}),
        ),
    ] {
        let mut wish = json!({"name": format!("{kind} {}", part["measure"]), "kind": kind});
        wish[kind] = part.clone();
        let made = make(&admin, &wish).await;
        assert_eq!(made[kind], part, "{kind}");
        assert_eq!(made["severity"], "warning");
    }
}

fn of(kind: &str, part: Value) -> Value {
    let mut wish = json!({"name": "a", "kind": kind});
    wish[kind] = part;
    wish
}

async fn refused_at(admin: &Api, wish: &Value, pointer: &str) {
    let refused = admin.post("/alert-rules").json(wish).send().await;
    let problem = refused.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], pointer, "{wish}");
}

#[tokio::test]
async fn impossible_windows_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    for (more, field) in [
        (json!({"opens": "2:00"}), "opens"),
        (json!({"closes": "02:00"}), "closes"),
        (json!({"pattern": "/a"}), "pattern"),
        (json!({"folder": "a/../b"}), "folder"),
        (json!({"time_zone": "Nowhere"}), "time_zone"),
        (json!({"files_min": 0}), "files_min"),
        (
            json!({"calendar_id": "cal_01m7yp4jy0emq8k9w39qsaekf4"}),
            "calendar_id",
        ),
        (json!({"day_rule": "not_on_holidays"}), "calendar_id"),
    ] {
        let mut wish = prices();
        let part = wish["expected_file"].as_object_mut().unwrap();
        part.extend(more.as_object().unwrap().clone());
        refused_at(&admin, &wish, &format!("#/expected_file/{field}")).await;
    }
}

#[tokio::test]
async fn impossible_rules_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    for (kind, part, field) in [
        (
            "threshold",
            json!({"measure": "speed", "above": 1}),
            "measure",
        ),
        (
            "threshold",
            json!({"measure": "queue_age", "above": 1, "filter": {}}),
            "filter",
        ),
        (
            "threshold",
            json!({"measure": "failed_share", "above": 100}),
            "above",
        ),
        (
            "threshold",
            json!({"measure": "entries", "above": 1, "filter": {"types": ["file.*", "fille.*"]}}),
            "filter/types/1",
        ),
        ("absence", json!({"minutes": 0}), "minutes"),
        ("rate", json!({"minutes": 5}), "rises_percent"),
        ("first_seen", json!({"what": []}), "what"),
        (
            "expiry",
            json!({"what": ["api_keys", "passports"]}),
            "what/1",
        ),
    ] {
        refused_at(&admin, &of(kind, part), &format!("#/{kind}/{field}")).await;
    }
    refused_at(
        &admin,
        &json!({"name": "a", "kind": "threshold"}),
        "#/threshold",
    )
    .await;
    let mut both = of("expiry", json!({"what": ["api_keys"]}));
    both["health"] = json!({"what": ["journal"]});
    refused_at(&admin, &both, "#/health").await;
    let unknown = of(
        "threshold",
        json!({"measure": "entries", "above": 1, "filter": {"typ": "x"}}),
    );
    let refused = admin.post("/alert-rules").json(&unknown).send().await;
    let problem = refused.problem(422, "unknown_field");
    assert_eq!(problem["errors"][0]["pointer"], "#/threshold/filter/typ");
}
