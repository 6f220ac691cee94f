//! Runs: begun, given, asked about, ended, run again.

use serde_json::{Value, json};

use super::{begin, colleague, completed, ended, get, make, names, start, step, when};
use crate::kit::Server;

/// A flow whose runs wait until somebody decides.
fn asking(name: &str) -> Value {
    json!({"name": name, "steps": [
        {"id": "ask", "kind": "approve", "message": "Go on with ${files.count}?"},
        {"id": "keep", "kind": "copy", "to": "/kept/", "on_conflict": "rename"},
    ]})
}

#[tokio::test]
async fn a_run_takes_parameters_and_files() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/in/a.csv", b"a").await;
    let document = json!({"name": "keep", "params": {"to": {}, "note": {"default": "-"}},
        "steps": [{"id": "keep", "kind": "copy", "to": "/${params.to}/${date:%Y}/"}]});
    let flow = make(&admin, document).await;
    let runs = format!("/flows/{}/runs", flow["flow_id"].as_str().unwrap());
    for (wish, pointer) in [
        (json!({}), "#/params/to"),
        (json!({"params": {"to": "x", "from": "y"}}), "#/params/from"),
        (
            json!({"params": {"to": "x"}, "files": ["/in/none"]}),
            "#/files/0",
        ),
        (
            json!({"params": {"to": "x"}, "files": ["/in/a.csv", "/in/../b"]}),
            "#/files/1",
        ),
    ] {
        let problem = admin
            .post(&runs)
            .json(&wish)
            .send()
            .await
            .problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let wish = json!({"params": {"to": "kept"}, "files": [file["file_id"], "/in/a.csv"]});
    let wish = json!({"params": wish["params"], "files": [wish["files"][0]]});
    let run = ended(&admin, &begin(&admin, &flow, &wish).await).await;
    completed(&run);
    assert_eq!(run["params"], json!({"to": "kept", "note": "-"}));
    let year = &run["created_at"].as_str().unwrap()[..4];
    assert_eq!(run["result"][0]["path"], format!("/kept/{year}/a.csv"));
    // A parameter is no way out of the place that the author named.
    let wish = json!({"params": {"to": "../x"}, "files": ["/in/a.csv"]});
    let run = ended(&admin, &begin(&admin, &flow, &wish).await).await;
    assert_eq!(run["error_code"], "invalid_path", "{run}");
}

#[tokio::test]
async fn a_second_person_decides() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/in/a.csv", b"a").await;
    let member = colleague(&admin, "bob", "member").await;
    let auditor = colleague(&admin, "eve", "auditor").await;
    let flow = make(&admin, asking("release")).await;
    let wish = json!({"files": ["/in/a.csv"]});
    let run = begin(&admin, &flow, &wish).await;
    let asked = when(&admin, &run, |run| run["state"] == "waiting").await;
    assert_eq!(step(&asked, "ask")["approval"]["message"], "Go on with 1?");
    let approve = format!("/flow-runs/{run}/approve");
    admin
        .post(&approve)
        .send()
        .await
        .problem(403, "policy_denied");
    auditor
        .post(&approve)
        .send()
        .await
        .problem(403, "policy_denied");
    let yes = json!({"note": "looks right"});
    member.post(&approve).json(&yes).send().await.is(202);
    let done = ended(&admin, &run).await;
    completed(&done);
    assert_eq!(step(&done, "ask")["approval"]["approved"], true);
    assert_eq!(step(&done, "ask")["note"], "svc:bob approved it.");
    member
        .post(&approve)
        .send()
        .await
        .problem(409, "state_conflict");
    let run = begin(&admin, &flow, &wish).await;
    when(&admin, &run, |run| run["state"] == "waiting").await;
    let no = json!({"note": "too early"});
    member
        .post(&format!("/flow-runs/{run}/reject"))
        .json(&no)
        .send()
        .await
        .is(202);
    let refused = ended(&admin, &run).await;
    assert_eq!(refused["error_code"], "rejected", "{refused}");
    assert_eq!(names(&admin, "/kept").await, ["a.csv"]);
    let events = admin
        .all("/events?limit=100&after=0&type=flow.approval_requested")
        .await;
    assert_eq!(events.len(), 2);
}

#[tokio::test]
async fn a_run_is_cancelled_and_leaves_the_turn_to_the_next() {
    let server = Server::start().await;
    let admin = server.admin();
    let flow = make(&admin, asking("release")).await;
    let first = begin(&admin, &flow, &json!({})).await;
    let second = begin(&admin, &flow, &json!({})).await;
    let third = begin(&admin, &flow, &json!({})).await;
    when(&admin, &first, |run| run["state"] == "waiting").await;
    assert_eq!(get(&admin, &second).await["state"], "queued");
    let path = format!("/flows/{}", flow["flow_id"].as_str().unwrap());
    admin.delete(&path).send().await.problem(409, "in_use");
    let cancel = |run: &str| admin.post(&format!("/flow-runs/{run}/cancel"));
    assert_eq!(
        cancel(&second).send().await.is(202).json()["state"],
        "cancelled"
    );
    cancel(&first).send().await.is(202);
    let gone = ended(&admin, &first).await;
    assert_eq!(
        (&gone["state"], &gone["error_code"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    assert_eq!(step(&gone, "ask")["state"], "cancelled");
    when(&admin, &third, |run| run["state"] == "waiting").await;
    cancel(&first).send().await.problem(409, "state_conflict");
    cancel(&third).send().await.is(202);
    ended(&admin, &third).await;
    assert_eq!(
        admin.all("/flow-runs?limit=2&state=cancelled").await.len(),
        3
    );
    admin.delete(&path).send().await.is(204);
}

#[tokio::test]
async fn the_rule_says_what_a_second_run_means() {
    let server = Server::start().await;
    let admin = server.admin();
    let with = |name: &str, rule: &str| {
        let mut document = asking(name);
        document["concurrency"] = json!(rule);
        document
    };
    let skip = make(&admin, with("once", "skip")).await;
    let first = begin(&admin, &skip, &json!({})).await;
    let runs = format!("/flows/{}/runs", skip["flow_id"].as_str().unwrap());
    admin
        .post(&runs)
        .send()
        .await
        .problem(409, "state_conflict");
    admin
        .post(&format!("/flow-runs/{first}/cancel"))
        .send()
        .await
        .is(202);
    let replace = make(&admin, with("newest", "replace")).await;
    let old = begin(&admin, &replace, &json!({})).await;
    when(&admin, &old, |run| run["state"] == "waiting").await;
    let new = begin(&admin, &replace, &json!({})).await;
    let gone = ended(&admin, &old).await;
    assert_eq!(
        (&gone["state"], &gone["error_code"]),
        (&json!("cancelled"), &json!("replaced"))
    );
    when(&admin, &new, |run| run["state"] == "waiting").await;
    let mut full = asking("full");
    full["queued_max"] = json!(0);
    let full = make(&admin, full).await;
    begin(&admin, &full, &json!({})).await;
    let runs = format!("/flows/{}/runs", full["flow_id"].as_str().unwrap());
    admin
        .post(&runs)
        .send()
        .await
        .problem(409, "state_conflict");
}

#[tokio::test]
async fn a_failed_run_goes_on_from_the_failed_step() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/in/a.csv", b"a").await;
    let steps = json!([
        {"id": "keep", "kind": "copy", "files": "/in/*", "to": "/kept/"},
        {"id": "shift", "kind": "move", "to": "/taken/"},
    ]);
    admin.upload("/taken/a.csv", b"in the way").await;
    let first = start(&admin, "shift", steps).await;
    let failed = ended(&admin, &first).await;
    assert_eq!(failed["error_code"], "file_exists", "{failed}");
    let rerun = format!("/flow-runs/{first}/rerun");
    // All of it again meets the copy that is there.
    let whole = admin.post(&rerun).send().await.is(202).json();
    let whole = ended(&admin, whole["run_id"].as_str().unwrap()).await;
    assert_eq!(whole["error_code"], "file_exists");
    assert_eq!(whole["steps"].as_array().unwrap().len(), 1);
    admin
        .delete("/files/content?path=/taken/a.csv")
        .send()
        .await
        .is(204);
    let wish = json!({"from_failed": true});
    let again = admin.post(&rerun).json(&wish).send().await.is(202).json();
    assert_eq!(again["rerun_of"], json!(first));
    let again = ended(&admin, again["run_id"].as_str().unwrap()).await;
    completed(&again);
    assert_eq!(step(&again, "keep")["reused"], true);
    assert_eq!(again["result"][0]["path"], "/taken/a.csv");
    let path = format!("/flow-runs/{}/rerun", again["run_id"].as_str().unwrap());
    admin
        .post(&path)
        .json(&wish)
        .send()
        .await
        .problem(409, "state_conflict");
}

#[tokio::test]
async fn a_wait_gives_way_and_a_log_tells_of_each_step() {
    let server = Server::start().await;
    let admin = server.admin();
    let steps = json!([
        {"id": "rest", "kind": "wait", "for": "1s"},
        {"id": "tell", "kind": "notify", "message": "rested"},
    ]);
    let run = start(&admin, "slow", steps).await;
    completed(&ended(&admin, &run).await);
    let path = format!("/flow-runs/{run}/journal?limit=50");
    let mut log: Vec<Value> = Vec::new();
    let begun = std::time::Instant::now();
    while !log
        .iter()
        .any(|line| line["operation"] == "flow_runs.complete")
    {
        assert!(begun.elapsed() < crate::kit::PATIENCE, "{log:?}");
        log = admin.all(&path).await;
    }
    let mut operations: Vec<&str> = log
        .iter()
        .map(|line| line["operation"].as_str().unwrap())
        .collect();
    // What was written in one moment has no order among itself.
    operations.sort_unstable();
    assert_eq!(
        operations,
        [
            "flow_runs.complete",
            "flow_runs.notify",
            "flow_runs.start",
            "flow_runs.step",
            "flow_runs.step",
            "flow_runs.step",
            "flows.run",
        ]
    );
    let steps: Vec<&Value> = log
        .iter()
        .rev()
        .map(|line| &line["data"]["step_state"])
        .collect();
    assert_eq!(
        (steps[2], steps[3]),
        (&json!("waiting"), &json!("completed"))
    );
}

#[tokio::test]
async fn a_killed_server_goes_on_and_does_each_step_once() {
    let mut server = Server::start().await;
    let admin = server.admin();
    for number in 0..8 {
        admin.upload(&format!("/in/{number}.csv"), b"a").await;
    }
    let steps = json!([
        {"id": "keep", "kind": "copy", "files": "/in/*", "to": "/kept/", "on_conflict": "rename"},
        {"id": "each", "kind": "for_each", "steps": [
            {"id": "more", "kind": "copy", "to": "/more/", "on_conflict": "rename"},
            {"id": "shift", "kind": "move", "to": "/done/"}]},
    ]);
    let run = start(&admin, "steady", steps).await;
    // Wherever it is by then.
    for _ in 0..3 {
        server.kill();
        server.start_again().await;
    }
    let admin = server.admin();
    let run = ended(&admin, &run).await;
    completed(&run);
    // The copies of the second kind were moved on; nothing is there twice, and nothing is missing.
    for (folder, count) in [("/in", 8), ("/kept", 8), ("/more", 0), ("/done", 8)] {
        let found = names(&admin, folder).await;
        assert_eq!(found.len(), count, "{folder}: {found:?}");
    }
}
