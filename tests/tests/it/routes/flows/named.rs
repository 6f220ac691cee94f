//! What flows and schedules name stays as long as they name it.

use serde_json::{Value, json};

use super::{colleague, make};
use crate::kit::{Api, Server};
use crate::routes::transfers::add_near;

fn own(noun: &str, object: &Value, id: &str) -> String {
    format!("/{noun}/{}", object[id].as_str().unwrap())
}

/// Removing `path` is refused, and the refusal names `user`.
async fn held(api: &Api, path: &str, user: &str) {
    let problem = api.delete(path).send().await.problem(409, "in_use");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(user), "{detail}");
}

async fn scheduled(api: &Api, name: &str, target: Value) -> Value {
    let mut wish = json!({"name": name, "cron": "0 0 1 1 *"});
    for (field, value) in target.as_object().unwrap() {
        wish[field] = value.clone();
    }
    let made = api.post("/schedules").json(&wish).send().await;
    made.is(201).json()
}

#[tokio::test]
async fn a_remote_stays_while_it_is_named() {
    let server = Server::start().await;
    let admin = server.admin();
    let near = add_near(&server).await;
    let remote = own("remotes", &near, "remote_id");
    let document = |destination: &str| json!({"name": "relay", "steps": [{"id": "a", "kind": "transfer", "destination": destination}]});
    let flow = make(&admin, document("near:/x/")).await;
    let target = json!({"transfer": {"source": "near:/out/", "destination": "/in/"}});
    let nightly = scheduled(&admin, "nightly", target).await;
    let users = admin.get(&format!("{remote}/used-by")).send().await;
    let users = users.is(200).json();
    assert_eq!(users["has_more"], false);
    let users = users["data"].as_array().unwrap();
    let told: Vec<(&Value, &Value)> = users
        .iter()
        .map(|user| (&user["type"], &user["id"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("flow"), &flow["flow_id"]),
            (&json!("schedule"), &nightly["schedule_id"])
        ]
    );
    held(&admin, &remote, "the flow `relay`").await;
    held(&admin, &remote, "the schedule `nightly`").await;
    let renamed = admin.patch(&remote).json(&json!({"name": "far"}));
    renamed.send().await.problem(409, "in_use");
    // Anything else of it may change.
    let slower = admin.patch(&remote).json(&json!({"concurrency": 2}));
    slower.send().await.is(200);
    // A newer document without it lets it go, and so does the schedule's end.
    let path = own("flows", &flow, "flow_id");
    admin.put(&path).json(&document("/y/")).send().await.is(200);
    held(&admin, &remote, "the schedule `nightly`").await;
    let schedule = own("schedules", &nightly, "schedule_id");
    let mut other = json!({"name": "nightly", "cron": "0 0 1 1 *"});
    other["transfer"] = json!({"source": "/out/", "destination": "/in/"});
    admin.put(&schedule).json(&other).send().await.is(200);
    admin.delete(&remote).send().await.is(204);
}

#[tokio::test]
async fn a_flow_that_is_removed_names_nothing_any_more() {
    let server = Server::start().await;
    let admin = server.admin();
    let near = add_near(&server).await;
    let remote = own("remotes", &near, "remote_id");
    let steps = json!([{"id": "a", "kind": "transfer", "source": "near:/x", "destination": "/y"}]);
    let flow = make(&admin, json!({"name": "relay", "steps": steps})).await;
    // Switched off it may be switched on again.
    let path = own("flows", &flow, "flow_id");
    let off = admin.patch(&path).json(&json!({"enabled": false}));
    off.send().await.is(200);
    held(&admin, &remote, "the flow `relay`").await;
    admin.delete(&path).send().await.is(204);
    admin.delete(&remote).send().await.is(204);
}

#[tokio::test]
async fn keys_and_webhooks_stay_while_they_are_named() {
    let server = Server::start().await;
    let admin = server.admin();
    let hook = json!({"url": "https://receiver.example/", "types": ["ping"]});
    let hook = admin.post("/webhooks").json(&hook).send().await;
    let hook = hook.is(201).json();
    let mut keys = Vec::new();
    for name in ["by-name", "by-id", "newer"] {
        let wish = json!({"name": name, "user_id": name});
        let made = admin.post("/pgp-keys/generate").json(&wish).send().await;
        keys.push(made.is(201).json());
    }
    let path = |key: &Value| own("pgp-keys", key, "pgp_key_id");
    let steps = json!([
        {"id": "a", "kind": "pgp_encrypt", "recipients": ["by-name", keys[1]["pgp_key_id"]]},
        {"id": "b", "kind": "notify", "message": "x", "webhook": hook["webhook_id"]},
    ]);
    let flow = make(&admin, json!({"name": "seal", "steps": steps})).await;
    let webhook = own("webhooks", &hook, "webhook_id");
    for path in [&webhook, &path(&keys[0]), &path(&keys[1])] {
        held(&admin, path, "the flow `seal`").await;
    }
    // A newer key takes the name, and then the old one may go.
    for (key, name) in [(&keys[0], "older"), (&keys[2], "by-name")] {
        let renamed = admin.patch(&path(key)).json(&json!({"name": name}));
        renamed.send().await.is(200);
    }
    admin.delete(&path(&keys[0])).send().await.is(204);
    held(&admin, &path(&keys[2]), "the flow `seal`").await;
    let flow = own("flows", &flow, "flow_id");
    admin.delete(&flow).send().await.is(204);
    for path in [&webhook, &path(&keys[1]), &path(&keys[2])] {
        admin.delete(path).send().await.is(204);
    }
}

#[tokio::test]
async fn a_flow_stays_while_it_is_named() {
    let server = Server::start().await;
    let admin = server.admin();
    let steps = json!([{"id": "a", "kind": "delete"}]);
    let first = make(&admin, json!({"name": "first", "steps": steps})).await;
    let flow = own("flows", &first, "flow_id");
    let on = json!([{"kind": "flow", "flow": "first"}]);
    let second = make(
        &admin,
        json!({"name": "second", "triggers": on, "steps": steps}),
    )
    .await;
    held(&admin, &flow, "the flow `second`").await;
    let renamed = json!({"name": "primus", "steps": steps});
    let renamed = admin.put(&flow).json(&renamed).send().await;
    renamed.problem(409, "in_use");
    let target = json!({"flow": {"flow_id": first["flow_id"]}});
    let monthly = scheduled(&admin, "monthly", target).await;
    let second = own("flows", &second, "flow_id");
    admin.delete(&second).send().await.is(204);
    held(&admin, &flow, "the schedule `monthly`").await;
    let schedule = own("schedules", &monthly, "schedule_id");
    admin.delete(&schedule).send().await.is(204);
    admin.delete(&flow).send().await.is(204);
}

#[tokio::test]
async fn a_refusal_tells_no_more_than_its_reader_may_see() {
    let server = Server::start().await;
    let admin = server.admin();
    let near = add_near(&server).await;
    let remote = own("remotes", &near, "remote_id");
    let steps = json!([{"id": "a", "kind": "transfer", "destination": "near:/x/"}]);
    make(&admin, json!({"name": "covert", "steps": steps})).await;
    let ann = colleague(&admin, "ann", "administrator").await;
    let narrow = ann.scoped(&["remotes:manage", "remotes:read"]).await;
    let problem = narrow.delete(&remote).send().await;
    let problem = problem.problem(409, "in_use");
    let detail = problem["detail"].as_str().unwrap();
    assert!(!detail.contains("covert"), "{detail}");
    let users = narrow.get(&format!("{remote}/used-by")).send().await;
    let users = users.is(200).json();
    assert_eq!(
        (&users["data"], &users["has_more"]),
        (&json!([]), &json!(true))
    );
}
