//! What is refused when a document is saved, so that no run has to stumble over it.

use serde_json::{Value, json};

use super::{colleague, make};
use crate::kit::{Api, Server};
use crate::routes::transfers::add_near;

/// The pointers and codes for which a flow of one step is refused.
async fn refused(api: &Api, step: Value) -> Vec<(String, String)> {
    let mut step = step;
    step["id"] = json!("a");
    let document = json!({"name": "bad", "steps": [step]});
    let answer = api.post("/flows").json(&document).send().await;
    let problem = answer.problem(422, "validation_failed");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| (text(&error["pointer"]), text(&error["code"])))
        .collect()
}

fn at(place: &str, code: &str) -> Vec<(String, String)> {
    vec![(format!("#/steps/0{place}"), code.to_owned())]
}

async fn own_key(api: &Api, name: &str) -> Value {
    let wish = json!({"name": name, "user_id": name});
    let made = api.post("/pgp-keys/generate").json(&wish).send().await;
    made.is(201).json()
}

#[tokio::test]
async fn what_content_steps_ask_for_is_judged_before_it_runs() {
    let server = Server::start().await;
    let admin = server.admin();
    let column = |pattern: &str| json!({"name": "id", "pattern": pattern});
    let valid = |more: Value| {
        let mut step = json!({"kind": "validate"});
        for (name, value) in more.as_object().unwrap() {
            step[name] = value.clone();
        }
        step
    };
    for (step, wanted) in [
        (valid(json!({})), at("", "missing")),
        (
            valid(json!({"name_pattern": "(["})),
            at("/name_pattern", "rule_pattern"),
        ),
        (
            valid(json!({"name_pattern": "${flow.name}-("})),
            at("/name_pattern", "rule_pattern"),
        ),
        (
            valid(json!({"csv": {"columns": [column("[0-9]+"), column("(?=x)")]}})),
            at("/csv/columns/1/pattern", "rule_pattern"),
        ),
        (
            valid(json!({"csv": {"columns": []}})),
            at("/csv/columns", "rule_csv"),
        ),
        (
            valid(json!({"csv": {"columns": [column("x")], "delimiter": "→"}})),
            at("/csv/delimiter", "rule_csv"),
        ),
        (
            valid(json!({"json": {"schema": {"type": "dictionary"}}})),
            at("/json/schema", "rule_schema"),
        ),
        (
            valid(json!({"json": {"schema": {"$ref": "https://example.com/schema"}}})),
            at("/json/schema", "rule_schema"),
        ),
        (
            valid(json!({"types": ["text/csv", "pdf"]})),
            at("/types/1", "invalid"),
        ),
        (
            valid(json!({"min_bytes": 10, "max_bytes": 9})),
            at("/max_bytes", "out_of_range"),
        ),
    ] {
        assert_eq!(refused(&admin, step.clone()).await, wanted, "{step}");
    }
}

#[tokio::test]
async fn bounds_of_other_steps_are_judged_too() {
    let server = Server::start().await;
    let admin = server.admin();
    for (step, wanted) in [
        (
            json!({"kind": "extract", "max_files": 0}),
            at("/max_files", "out_of_range"),
        ),
        (
            json!({"kind": "extract", "max_ratio": 1_000_000}),
            at("/max_ratio", "out_of_range"),
        ),
        (
            json!({"kind": "extract", "max_bytes": 0}),
            at("/max_bytes", "out_of_range"),
        ),
        (
            json!({"kind": "tag", "add": ["good", "\u{7}"]}),
            at("/add/1", "invalid"),
        ),
        (
            json!({"kind": "tag", "metadata": {"": "x"}}),
            at("/metadata", "invalid"),
        ),
        (
            json!({"kind": "transfer", "destination": "/x/", "bandwidth": 1}),
            at("/bandwidth", "out_of_range"),
        ),
        (
            json!({"kind": "transfer", "source": "Bank:/out/*", "destination": "/x/"}),
            at("/source", "invalid"),
        ),
        (
            json!({"kind": "approve", "approvers": ["usr:ann", "bob"]}),
            at("/approvers/1", "invalid"),
        ),
    ] {
        assert_eq!(refused(&admin, step.clone()).await, wanted, "{step}");
    }
}

#[tokio::test]
async fn a_replacement_is_judged_as_a_new_flow_is() {
    let server = Server::start().await;
    let admin = server.admin();
    let good = json!({"name": "good", "steps": [{"id": "a", "kind": "validate", "name_pattern": "${flow.name}-[0-9]+\\.csv",
        "csv": {"columns": [{"name": "id", "pattern": "[0-9]+"}]}}, {"id": "b", "kind": "extract", "max_files": 1}]});
    let flow = make(&admin, good.clone()).await;
    // Every step, however deep.
    let inner = json!([{"id": "b", "kind": "validate", "name_pattern": "("}]);
    let deep = json!({"name": "good", "steps": [{"id": "a", "kind": "branch", "if": "files.count > 0", "else": inner}]});
    let path = format!("/flows/{}", flow["flow_id"].as_str().unwrap());
    let problem = admin.put(&path).json(&deep).send().await;
    let problem = problem.problem(422, "validation_failed");
    assert_eq!(
        problem["errors"][0]["pointer"],
        "#/steps/0/else/0/name_pattern"
    );
    let kept = admin.get(&path).send().await.is(200).json();
    assert_eq!((&kept["version"], &kept["document"]), (&json!(1), &good));
}

#[tokio::test]
async fn what_a_flow_names_must_be_there() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    own_key(&admin, "ours").await;
    let nobody = "whk_00000000000000000000000001";
    for (step, wanted) in [
        (
            json!({"kind": "transfer", "source": "far:/out/*", "destination": "near:/in/"}),
            at("/source", "unknown_remote"),
        ),
        (
            json!({"kind": "transfer", "destination": "far:/${date}/"}),
            at("/destination", "unknown_remote"),
        ),
        (
            json!({"kind": "notify", "message": "x", "webhook": nobody}),
            at("/webhook", "unknown_webhook"),
        ),
        (
            json!({"kind": "pgp_encrypt", "recipients": ["ours", "theirs"]}),
            at("/recipients/1", "pgp_key_unknown"),
        ),
        (
            json!({"kind": "pgp_sign", "key": "theirs"}),
            at("/key", "pgp_key_unknown"),
        ),
    ] {
        assert_eq!(refused(&admin, step.clone()).await, wanted, "{step}");
    }
    let on = json!({"name": "bad", "triggers": [{"kind": "event", "types": ["transfer.*"], "remote": "far"}],
        "steps": [{"id": "a", "kind": "delete"}]});
    let problem = admin.post("/flows").json(&on).send().await;
    let problem = problem.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/triggers/0/remote");
    let good = json!({"name": "good", "params": {"to": {"default": "far"}}, "steps": [
        {"id": "a", "kind": "transfer", "source": "near:/out/*", "destination": "/in/"},
        // Which remote this is, a run alone knows.
        {"id": "b", "kind": "transfer", "destination": "${params.to}:/in/"},
        {"id": "c", "kind": "pgp_decrypt", "keys": ["ours"]},
    ]});
    make(&admin, good).await;
}

#[tokio::test]
async fn a_key_that_cannot_do_its_part_is_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let theirs = json!({"name": "theirs", "key": crate::kit::PARTNER_KEY});
    admin.post("/pgp-keys").json(&theirs).send().await.is(201);
    let step = json!({"kind": "pgp_decrypt", "keys": ["theirs"]});
    let wanted = at("/keys/0", "pgp_key_without_secret");
    assert_eq!(refused(&admin, step).await, wanted);
    let key = own_key(&admin, "ours").await;
    let path = format!("/pgp-keys/{}", key["pgp_key_id"].as_str().unwrap());
    let change = json!({"usage": ["sign"]});
    admin.patch(&path).json(&change).send().await.is(200);
    let step = json!({"kind": "pgp_encrypt", "recipients": ["ours"]});
    let wanted = at("/recipients/0", "pgp_key_cannot_encrypt");
    assert_eq!(refused(&admin, step).await, wanted);
    let flow = json!({"name": "signs", "steps": [{"id": "a", "kind": "pgp_sign", "key": "ours"}]});
    make(&admin, flow).await;
}

#[tokio::test]
async fn what_the_owner_may_not_use_is_as_if_it_were_not_there() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let hook = json!({"url": "https://receiver.example/", "types": ["ping"]});
    let hook = admin.post("/webhooks").json(&hook).send().await;
    let hook = hook.is(201).json();
    let put = json!({"kind": "transfer", "destination": "near:/in/"});
    let tell = json!({"kind": "notify", "message": "x", "webhook": hook["webhook_id"]});
    let ann = colleague(&admin, "ann", "administrator").await;
    let narrow = ann.scoped(&["flows:manage", "files:read"]).await;
    assert_eq!(
        refused(&narrow, put.clone()).await,
        at("/destination", "unknown_remote")
    );
    assert_eq!(
        refused(&narrow, tell.clone()).await,
        at("/webhook", "unknown_webhook")
    );
    // A key that is bound to a folder does not tell the webhook of another.
    let key = json!({"name": "bound", "scopes": ["admin"], "path_prefixes": ["/in"]});
    let key = admin.new_key(key).await;
    let bound = admin.with_key(key["api_key"].as_str().unwrap());
    assert_eq!(
        refused(&bound, tell.clone()).await,
        at("/webhook", "unknown_webhook")
    );
    let wide = ann
        .scoped(&["flows:manage", "transfers:write", "webhooks:manage"])
        .await;
    let (mut put, mut tell) = (put, tell);
    (put["id"], tell["id"]) = (json!("a"), json!("b"));
    make(&wide, json!({"name": "good", "steps": [put, tell]})).await;
    // What is another tenant's is not there at all.
    let other = server.tenant("bolt").await;
    let step = json!({"kind": "transfer", "destination": "near:/in/"});
    assert_eq!(
        refused(&other, step).await,
        at("/destination", "unknown_remote")
    );
}
