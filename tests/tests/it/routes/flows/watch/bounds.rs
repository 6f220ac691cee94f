//! What a watch does not do: too much, or what makes no sense.

use std::fs::{self, File};

use serde_json::{Value, json};

use super::{look, out, path_of, sources, teller, watch_that};
use crate::kit::Server;
use crate::routes::flows::triggers::runs;
use crate::routes::flows::{ended, make};

#[tokio::test]
async fn what_the_flow_has_no_room_for_stays_new() {
    let server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    for name in ["a", "b", "c", "d"] {
        fs::write(out.join(name), name).unwrap();
    }
    let mut document = teller("busy", "near:/out/");
    document["queued_max"] = json!(1);
    document["steps"] = json!([{"id": "rest", "kind": "wait", "for": "1d"}]);
    let flow = make(&admin, document).await;
    let state = watch_that(&admin, &flow, Value::is_object).await;
    assert_eq!(
        (&state["files"], &state["files_waiting"]),
        (&json!(4), &json!(2))
    );
    assert_eq!(state["error_code"], json!(null));
    let all = format!(
        "/flow-runs?limit=50&flow_id={}",
        flow["flow_id"].as_str().unwrap()
    );
    for run in admin.all(&all).await {
        let cancel = format!("/flow-runs/{}/cancel", run["run_id"].as_str().unwrap());
        admin.post(&cancel).send().await.is(202);
        ended(&admin, run["run_id"].as_str().unwrap()).await;
    }
    assert_eq!(look(&admin, &flow).await["files_waiting"], 0);
    let mut told: Vec<Value> = admin
        .all(&all)
        .await
        .iter()
        .map(|run| run["trigger_facts"]["file_name"].clone())
        .collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn more_files_than_a_flow_can_know_start_nothing() {
    let server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    for number in 0..10_001 {
        File::create(out.join(format!("{number:05}.csv"))).unwrap();
    }
    let flow = make(&admin, teller("much", "near:/out/*.csv")).await;
    let state = watch_that(&admin, &flow, Value::is_object).await;
    assert_eq!(state["error_code"], "too_many_files", "{state}");
    runs(&admin, &flow, 0).await;
    // What does not fit is no matter while nothing means it.
    let few = teller("much", "near:/out/*5000.csv");
    let own = path_of(&flow, "");
    admin.put(&own).json(&few).send().await.is(200);
    assert_eq!(sources(&admin, &flow, 1).await, ["near:/out/05000.csv"]);
}

#[tokio::test]
async fn watches_that_make_no_sense_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    for (trigger, place) in [
        (
            json!({"kind": "watch", "path": "near:/out/*.csv", "every": "9s"}),
            "#/triggers/0/every",
        ),
        (
            json!({"kind": "watch", "path": "near:/out/*.csv", "every": "2d"}),
            "#/triggers/0/every",
        ),
        (
            json!({"kind": "watch", "path": "near:/out/*.csv", "settle": "2d"}),
            "#/triggers/0/settle",
        ),
        (
            json!({"kind": "watch", "path": "/out/*.csv"}),
            "#/triggers/0",
        ),
        (
            json!({"kind": "watch", "path": "near:/*/a.csv"}),
            "#/triggers/0",
        ),
        (json!({"kind": "watch"}), "#/triggers/0"),
        (json!({"kind": "hook", "path": "/a"}), "#/triggers/0"),
    ] {
        let document = json!({"name": "odd", "triggers": [trigger],
            "steps": [{"id": "tell", "kind": "notify", "message": "x"}]});
        let refused = admin.post("/flows").json(&document).send().await;
        assert_eq!(refused.status, 422, "{trigger}");
        let pointer = refused.json()["errors"][0]["pointer"].clone();
        assert!(
            pointer.as_str().unwrap().starts_with(place),
            "{trigger}: {pointer}"
        );
    }
}
