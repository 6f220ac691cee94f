//! What starts flows beside a call.

use std::time::Instant;

use serde_json::{Value, json};

use super::{completed, ended, make};
use crate::kit::{Api, LOOK_EVERY, PATIENCE, Server};

/// The runs of a flow once there are `count`, oldest first, all of them ended.
pub(super) async fn runs(api: &Api, flow: &Value, count: usize) -> Vec<Value> {
    let path = format!(
        "/flow-runs?limit=50&flow_id={}",
        flow["flow_id"].as_str().unwrap()
    );
    let begun = Instant::now();
    let mut found = loop {
        let found = api.all(&path).await;
        if found.len() >= count {
            break found;
        }
        assert!(begun.elapsed() < PATIENCE, "{} of {count}", found.len());
        tokio::time::sleep(LOOK_EVERY).await;
    };
    found.reverse();
    let mut whole = Vec::new();
    for run in found {
        whole.push(ended(api, run["run_id"].as_str().unwrap()).await);
    }
    assert_eq!(whole.len(), count, "{whole:?}");
    whole
}

/// Waits until the journal was read up to what is there now: a last flow starts for an upload of its own.
async fn caught_up(admin: &Api, name: &str) {
    let path = format!("/{name}/last");
    let last = make(
        admin,
        json!({"name": name, "triggers": [{"kind": "arrival", "path": path}],
        "steps": [{"id": "tell", "kind": "notify", "message": "last"}]}),
    )
    .await;
    admin.upload(&path, b"last").await;
    runs(admin, &last, 1).await;
}

#[tokio::test]
async fn a_file_that_arrives_starts_a_flow_once() {
    let mut server = Server::start().await;
    let admin = server.admin();
    let document = json!({"name": "keep", "triggers": [{"kind": "arrival", "path": "/in/*.csv"}],
        "steps": [{"id": "keep", "kind": "copy", "to": "/in/kept-${file.name}", "on_conflict": "rename"}]});
    let flow = make(&admin, document).await;
    let file = admin.upload("/in/a.csv", b"a").await;
    admin.upload("/in/a.txt", b"a").await;
    admin.upload("/in/deeper/a.csv", b"a").await;
    let run = runs(&admin, &flow, 1).await.remove(0);
    completed(&run);
    assert_eq!(
        (&run["trigger"], &run["started_by"]),
        (&json!("arrival"), &json!(null))
    );
    assert_eq!(run["trigger_facts"]["path"], "/in/a.csv");
    assert_eq!(run["files"][0]["file_id"], file["file_id"]);
    // What the run itself puts there starts nothing, and no restart reads an entry again.
    server.kill();
    server.start_again().await;
    let admin = server.admin();
    caught_up(&admin, "last").await;
    runs(&admin, &flow, 1).await;
    let path = format!("/flows/{}", flow["flow_id"].as_str().unwrap());
    admin
        .patch(&path)
        .json(&json!({"enabled": false}))
        .send()
        .await
        .is(200);
    admin.upload("/in/b.csv", b"b").await;
    caught_up(&admin, "again").await;
    runs(&admin, &flow, 1).await;
}

#[tokio::test]
async fn a_trigger_file_says_that_the_others_are_complete() {
    let server = Server::start().await;
    let admin = server.admin();
    let on = |name: &str, sign: &str| {
        json!({"name": name, "triggers": [{"kind": "arrival", "path": "/in/*.csv", "trigger_file": sign}],
            "steps": [{"id": "tell", "kind": "notify", "message": "${files.names}"}]})
    };
    let all = make(&admin, on("all", "*.done")).await;
    let one = make(&admin, on("one", "${file.name}.done")).await;
    for name in ["a.csv", "b.csv", "c.txt", "b.csv.done"] {
        admin.upload(&format!("/in/{name}"), b"x").await;
    }
    let run = runs(&admin, &all, 1).await.remove(0);
    assert_eq!(run["files"].as_array().unwrap().len(), 2, "{run}");
    let run = runs(&admin, &one, 1).await.remove(0);
    assert_eq!(run["files"][0]["name"], "b.csv");
}

#[tokio::test]
async fn a_file_that_does_not_settle_is_superseded() {
    let server = Server::start().await;
    let admin = server.admin();
    let document = json!({"name": "calm", "triggers": [{"kind": "arrival", "path": "/in/a.csv", "settle": "10s"}],
        "steps": [{"id": "tell", "kind": "notify", "message": "${files.count}"}]});
    let flow = make(&admin, document).await;
    admin.upload("/in/a.csv", b"first").await;
    let path = format!(
        "/flow-runs?limit=50&flow_id={}",
        flow["flow_id"].as_str().unwrap()
    );
    let begun = Instant::now();
    while admin.all(&path).await.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no run");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let newer = admin.put("/files/content?path=/in/a.csv").body("second");
    newer.send().await.is(200);
    let found = runs(&admin, &flow, 2).await;
    assert_eq!(found[0]["error_code"], "superseded", "{found:?}");
    completed(&found[1]);
}

#[tokio::test]
async fn events_and_ends_of_other_flows_start_flows() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/in/a.csv", b"a").await;
    let first = make(&admin, json!({"name": "first",
        "triggers": [{"kind": "event", "types": ["file.deleted"], "path": "/in/*"}],
        "steps": [{"id": "keep", "kind": "copy", "files": "/keep/*", "to": "/out/", "on_conflict": "rename"}]}))
    .await;
    let second = make(&admin, json!({"name": "second", "triggers": [{"kind": "flow", "flow": "first"}],
        "steps": [{"id": "tell", "kind": "notify", "message": "${trigger.flow} ${trigger.outcome}: ${files.names}"}]}))
    .await;
    let sorry = make(
        &admin,
        json!({"name": "sorry", "triggers": [{"kind": "flow", "flow": "first", "on": ["failed"]}],
        "steps": [{"id": "tell", "kind": "notify", "message": "sorry"}]}),
    )
    .await;
    admin.upload("/keep/k.csv", b"k").await;
    admin
        .delete("/files/content?path=/in/a.csv")
        .send()
        .await
        .is(204);
    let run = runs(&admin, &first, 1).await.remove(0);
    assert_eq!(run["trigger_facts"]["event_type"], "file.deleted");
    let run = runs(&admin, &second, 1).await.remove(0);
    completed(&run);
    assert_eq!(run["steps"][0]["note"], "first completed: k.csv");
    caught_up(&admin, "last").await;
    runs(&admin, &sorry, 0).await;
}
