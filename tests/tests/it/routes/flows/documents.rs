//! Documents: made, read, replaced, removed, refused.

use serde_json::{Value, json};

use super::{begin, colleague, completed, ended, make, when};
use crate::kit::Server;

fn archive() -> Value {
    json!({"name": "archive", "steps": [{"id": "keep", "kind": "copy", "to": "/archive/"}]})
}

fn own(flow: &Value) -> String {
    format!("/flows/{}", flow["flow_id"].as_str().unwrap())
}

#[tokio::test]
async fn a_flow_is_made_read_replaced_and_removed() {
    let server = Server::start().await;
    let admin = server.admin();
    let flow = make(&admin, archive()).await;
    assert_eq!(flow["name"], "archive");
    assert_eq!(
        (&flow["version"], &flow["enabled"]),
        (&json!(1), &json!(true))
    );
    let read = admin.get(&own(&flow)).send().await;
    assert_eq!(read.is(200).json(), flow);
    let etag = read.header("etag").to_owned();
    let mut newer = archive();
    newer["description"] = json!("keeps what comes");
    let stale = admin
        .put(&own(&flow))
        .header("if-match", "\"77\"")
        .json(&newer);
    stale.send().await.problem(412, "etag_mismatch");
    let replaced = admin
        .put(&own(&flow))
        .header("if-match", &etag)
        .json(&newer);
    let replaced = replaced.send().await.is(200).json();
    assert_eq!(replaced["version"], 2);
    assert_eq!(replaced["document"], newer);
    let versions = admin.all(&format!("{}/versions?limit=1", own(&flow))).await;
    assert_eq!(versions.len(), 2);
    assert_eq!(
        (&versions[0]["version"], &versions[1]["version"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(versions[1]["document"], archive());
    let off = admin.patch(&own(&flow)).json(&json!({"enabled": false}));
    let off = off.send().await.is(200).json();
    assert_eq!(
        (&off["enabled"], &off["version"]),
        (&json!(false), &json!(2))
    );
    assert_eq!(admin.all("/flows?limit=5").await.len(), 1);
    let taken = admin.post("/flows").json(&archive()).send().await;
    assert_eq!(
        taken.problem(409, "name_taken")["errors"][0]["pointer"],
        "#/name"
    );
    admin.delete(&own(&flow)).send().await.is(204);
    admin
        .get(&own(&flow))
        .send()
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn yaml_makes_the_same_flow() {
    let server = Server::start().await;
    let admin = server.admin();
    let text = "name: archive\nsteps:\n  - id: keep\n    kind: copy\n    to: /archive/\n";
    let made = admin
        .post("/flows")
        .header("content-type", "application/yaml")
        .body(text);
    let flow = made.send().await.is(201).json();
    assert_eq!(flow["document"], archive());
    let bad = admin
        .post("/flows")
        .header("content-type", "application/yaml")
        .body("a: [");
    bad.send().await.problem(400, "malformed_request");
    let other = admin
        .post("/flows")
        .header("content-type", "text/plain")
        .body(text);
    other.send().await.problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn what_is_wrong_is_named_by_pointer() {
    let server = Server::start().await;
    let admin = server.admin();
    let of = |steps: Value| json!({"name": "bad", "steps": steps});
    let bad = of(json!([
        {"id": "a", "kind": "copy", "to": "/x/", "overwrite": true},
        {"id": "b", "kind": "launder"},
        {"id": "c", "kind": "wait", "for": "soon"},
    ]));
    let problem = admin
        .post("/flows")
        .json(&bad)
        .send()
        .await
        .problem(422, "validation_failed");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<&str> = errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        pointers,
        ["#/steps/0/overwrite", "#/steps/1/kind", "#/steps/2/for"]
    );
    for (steps, pointer) in [
        (
            json!([{"id": "a", "kind": "notify", "message": "${params.x}"}]),
            "#/steps/0/message",
        ),
        (
            json!([{"id": "a", "kind": "delete", "files": "/in/../*"}]),
            "#/steps/0/files",
        ),
        (
            json!([{"id": "a", "kind": "delete", "files": "${steps.b.files}"}]),
            "#/steps/0/files",
        ),
        (
            json!([{"id": "a", "kind": "branch", "if": "files.count >"}]),
            "#/steps/0/if",
        ),
    ] {
        let problem = admin.post("/flows").json(&of(steps)).send().await;
        let problem = problem.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let unknown = json!({"name": "a", "stesp": [], "steps": []});
    admin
        .post("/flows")
        .json(&unknown)
        .send()
        .await
        .problem(422, "unknown_field");
}

#[tokio::test]
async fn flows_that_would_start_each_other_for_ever_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let after = |name: &str, flow: &str| {
        json!({"name": name, "triggers": [{"kind": "flow", "flow": flow}],
            "steps": [{"id": "a", "kind": "delete"}]})
    };
    let unknown = admin.post("/flows").json(&after("b", "a")).send().await;
    let unknown = unknown.problem(422, "validation_failed");
    assert_eq!(unknown["errors"][0]["pointer"], "#/triggers/0/flow");
    let first = make(
        &admin,
        json!({"name": "a", "steps": [{"id": "a", "kind": "delete"}]}),
    )
    .await;
    make(&admin, after("b", "a")).await;
    make(&admin, after("c", "b")).await;
    let circle = admin.put(&own(&first)).json(&after("a", "c")).send().await;
    let circle = circle.problem(422, "validation_failed");
    assert_eq!(circle["errors"][0]["code"], "cycle");
}

#[tokio::test]
async fn flows_are_for_those_who_may() {
    let server = Server::start().await;
    let admin = server.admin();
    let flow = make(&admin, archive()).await;
    let run = begin(&admin, &flow, &json!({})).await;
    ended(&admin, &run).await;
    let other = server.tenant("bolt").await;
    other
        .get(&own(&flow))
        .send()
        .await
        .problem(404, "not_found");
    let runs = format!("{}/runs", own(&flow));
    other.post(&runs).send().await.problem(404, "not_found");
    other
        .get(&format!("/flow-runs/{run}"))
        .send()
        .await
        .problem(404, "not_found");
    let member = colleague(&admin, "bob", "member").await;
    member.get(&own(&flow)).send().await.is(200);
    member
        .post("/flows")
        .json(&archive())
        .send()
        .await
        .problem(403, "policy_denied");
    member
        .post(&runs)
        .send()
        .await
        .problem(403, "policy_denied");
    let reader = admin.scoped(&["flows:read"]).await;
    reader.get(&own(&flow)).send().await.is(200);
    reader
        .post(&runs)
        .send()
        .await
        .problem(403, "insufficient_scope");
    // A key that is bound to a folder neither sees nor starts what reaches further.
    let key = json!({"name": "bound", "scopes": ["admin"], "path_prefixes": ["/in"]});
    let key = admin.new_key(key).await;
    let bound = admin.with_key(key["api_key"].as_str().unwrap());
    bound
        .get(&own(&flow))
        .send()
        .await
        .problem(404, "not_found");
    bound.post(&runs).send().await.problem(404, "not_found");
    assert_eq!(bound.all("/flows?limit=5").await.len(), 0);
}

#[tokio::test]
async fn a_revoked_key_ends_its_flows() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/in/a.csv", b"a").await;
    let keep = json!({"id": "keep", "kind": "copy", "files": "/in/*", "to": "/kept/", "on_conflict": "replace"});
    let document = json!({"name": "keep", "steps": [keep]});
    let key = json!({"name": "leaked", "scopes": ["admin"]});
    let key = admin.new_key(key).await;
    let leaked = admin.with_key(key["api_key"].as_str().unwrap());
    let flow = make(&leaked, document.clone()).await;
    let run = begin(&admin, &flow, &json!({})).await;
    completed(&ended(&admin, &run).await);
    let steps = json!([{"id": "ask", "kind": "approve"}, keep]);
    let asking = make(&leaked, json!({"name": "ask", "steps": steps})).await;
    let open = begin(&admin, &asking, &json!({})).await;
    when(&admin, &open, |run| run["state"] == "waiting").await;
    let path = format!("/api-keys/{}", key["key_id"].as_str().unwrap());
    admin.delete(&path).send().await.is(204);
    let run = begin(&admin, &flow, &json!({})).await;
    let run = ended(&admin, &run).await;
    assert_eq!(run["error_code"], "credential_revoked", "{run}");
    // What is under way ends before its next step, whoever lets it go on.
    let member = colleague(&admin, "bob", "member").await;
    let approve = format!("/flow-runs/{open}/approve");
    member.post(&approve).send().await.is(202);
    let open = ended(&admin, &open).await;
    assert_eq!(open["error_code"], "credential_revoked", "{open}");
    // Whoever saves it with a key that is trusted lets it go on.
    admin.put(&own(&flow)).json(&document).send().await.is(200);
    let run = begin(&admin, &flow, &json!({})).await;
    completed(&ended(&admin, &run).await);
}

#[tokio::test]
async fn a_flow_can_do_no_more_than_its_owner() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/out/a.txt", b"a").await;
    let key = json!({"name": "bound", "scopes": ["admin"], "path_prefixes": ["/in"]});
    let key = admin.new_key(key).await;
    let bound = admin.with_key(key["api_key"].as_str().unwrap());
    let steps = json!([{"id": "rid", "kind": "delete", "files": "/out/*"}]);
    let flow = make(&bound, json!({"name": "reach", "steps": steps})).await;
    let run = begin(&admin, &flow, &json!({})).await;
    let run = ended(&admin, &run).await;
    assert_eq!(run["state"], "failed", "{run}");
    admin
        .get("/files/lookup?path=/out/a.txt")
        .send()
        .await
        .is(200);
    // Who is disabled does nothing more through what they left behind.
    let ann = colleague(&admin, "ann", "administrator").await;
    let flow = make(&ann, archive()).await;
    let who = ann.get("/auth/validate").send().await.is(200).json();
    let path = format!(
        "/service-accounts/{}",
        who["principal_id"].as_str().unwrap()
    );
    admin
        .patch(&path)
        .json(&json!({"state": "disabled"}))
        .send()
        .await
        .is(200);
    let run = begin(&admin, &flow, &json!({})).await;
    let run = ended(&admin, &run).await;
    assert_eq!(run["error_code"], "principal_disabled", "{run}");
}
