//! Calls of flows by those who have a secret and no key.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{colleague, completed, ended, make, step};
use crate::kit::{Answer, Api, LOOK_EVERY, Options, PATIENCE, Server};

/// A flow that says who called, and takes no more than that from it.
fn greeter(name: &str) -> Value {
    json!({"name": name, "triggers": [{"kind": "hook"}], "steps": [
        {"id": "tell", "kind": "notify", "message": "${trigger.body.order.lines.1.name} for ${trigger.webhook_id}"},
    ]})
}

fn path_of(flow: &Value, rest: &str) -> String {
    format!("/flows/{}{rest}", flow["flow_id"].as_str().unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "senders sign with the time of their own clock"
)]
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

async fn rotate(api: &Api, flow: &Value, grace_seconds: u64) -> String {
    let wish = json!({"grace_seconds": grace_seconds});
    let call = api.post(&path_of(flow, "/rotate-secret")).json(&wish);
    let made = call.send().await.is(200).json();
    assert_eq!(made["flow_id"], flow["flow_id"]);
    made["secret"].as_str().unwrap().to_owned()
}

/// As a sender of Standard Webhooks signs.
fn sign(secret: &str, (id, at, body): (&str, u64, &str)) -> String {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(signed))
}

async fn send(api: &Api, path: &str, (id, at, body): (&str, u64, &str), signature: &str) -> Answer {
    let call = api.nobody().post(path).body(body.to_owned());
    call.header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", &at.to_string())
        .header("webhook-signature", signature)
        .send()
        .await
}

async fn call(api: &Api, flow: &Value, secret: &str, (id, body): (&str, &str)) -> Answer {
    let signed = (id, now(), body);
    send(api, &path_of(flow, "/hook"), signed, &sign(secret, signed)).await
}

const ORDER: &str = r#"{"order": {"lines": [{"name": "nuts"}, {"name": "bolts"}]}}"#;

#[tokio::test]
async fn a_signed_call_starts_a_run_once() {
    let mut server = Server::start().await;
    let admin = server.admin();
    let flow = make(&admin, greeter("greet")).await;
    let secret = rotate(&admin, &flow, 0).await;
    let made = call(&admin, &flow, &secret, ("msg_1", ORDER)).await;
    let made = made.is(202).json();
    let id = made["run_id"].as_str().unwrap();
    assert_eq!(made["links"]["self"], format!("/v1/flow-runs/{id}"));
    let run = ended(&admin, id).await;
    completed(&run);
    assert_eq!(
        (&run["trigger"], &run["started_by"]),
        (&json!("hook"), &json!(null))
    );
    let body: Value = serde_json::from_str(ORDER).unwrap();
    assert_eq!(run["trigger_facts"]["body"], body);
    assert_eq!(step(&run, "tell")["note"], "bolts for msg_1");
    // The same once more, also after a crash; with another body it is refused.
    server.kill();
    server.start_again().await;
    let admin = server.admin();
    let again = call(&admin, &flow, &secret, ("msg_1", ORDER)).await;
    assert_eq!(again.is(202).json(), made);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = call(&admin, &flow, &secret, ("msg_1", "{}")).await;
    other.problem(422, "idempotency_key_reused");
    let other = call(&admin, &flow, &secret, ("msg_2", ORDER)).await;
    assert_ne!(other.is(202).json()["run_id"], made["run_id"]);
    let path = format!(
        "/flow-runs?limit=50&flow_id={}",
        flow["flow_id"].as_str().unwrap()
    );
    assert_eq!(admin.all(&path).await.len(), 2);
}

/// What a refused caller is told, but for what names the request and where it was sent.
fn told(answer: &Answer) -> Value {
    let mut told = answer.problem(401, "signature_invalid");
    for name in ["request_id", "instance"] {
        told[name] = json!(null);
    }
    told
}

#[tokio::test]
async fn whoever_has_no_secret_learns_nothing() {
    let server = Server::start().await;
    let admin = server.admin();
    let flow = make(&admin, greeter("greet")).await;
    let path = path_of(&flow, "/hook");
    let steps = json!([{"id": "tell", "kind": "notify", "message": "x"}]);
    let deaf = make(&admin, json!({"name": "deaf", "steps": steps})).await;
    let signed = ("msg_1", now(), ORDER);
    let guessed = sign("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", signed);
    let early = send(&admin, &path, signed, &guessed).await;
    let refused = told(&early);
    assert_eq!(early.header("www-authenticate"), "Signature");

    let secret = rotate(&admin, &flow, 0).await;
    let good = sign(&secret, signed);
    let nowhere = format!("/flows/flw_{}/hook", "0".repeat(26));
    let (id, at, body) = signed;
    let late = (id, at - 600, body);
    let soon = (id, at + 600, body);
    for (what, path, call, signature) in [
        (
            "another flow",
            path_of(&deaf, "/hook"),
            signed,
            good.as_str(),
        ),
        ("no flow", nowhere, signed, &good),
        ("a wrong signature", path.clone(), signed, &guessed),
        ("no signature", path.clone(), signed, ""),
        ("another body", path.clone(), (id, at, "{}"), &good),
        ("another name", path.clone(), ("msg_2", at, body), &good),
        ("another time", path.clone(), (id, at - 1, body), &good),
        ("a late call", path.clone(), late, &sign(&secret, late)),
        ("an early call", path.clone(), soon, &sign(&secret, soon)),
        (
            "no name",
            path.clone(),
            ("", at, body),
            &sign(&secret, ("", at, body)),
        ),
    ] {
        let answer = send(&admin, &path, call, signature).await;
        assert_eq!(told(&answer), refused, "{what}");
    }
    let bare = admin.nobody().post(&path).body(ORDER).send().await;
    assert_eq!(told(&bare), refused);
    // A key is no signature.
    let keyed = admin.post(&path).json(&json!({})).send().await;
    assert_eq!(told(&keyed), refused);
    let runs = format!(
        "/flow-runs?limit=50&flow_id={}",
        flow["flow_id"].as_str().unwrap()
    );
    assert_eq!(admin.all(&runs).await, Vec::<Value>::new());
    let filter = format!(
        "operation=flows.hook&subject_id={}",
        flow["flow_id"].as_str().unwrap()
    );
    let records = admin.records_from(9, &filter).await;
    for record in records {
        assert_eq!(
            (&record["status"], &record["ip_address"]),
            (&json!("denied"), &json!("127.0.0.1"))
        );
        assert!(!record.to_string().contains("v1,"), "{record}");
    }
}

#[tokio::test]
async fn secrets_are_shown_once_and_overlap() {
    let server = Server::start().await;
    let admin = server.admin();
    let flow = make(&admin, greeter("greet")).await;
    let first = rotate(&admin, &flow, 0).await;
    let second = rotate(&admin, &flow, 3600).await;
    assert_ne!(first, second);
    for (name, secret) in [("msg_1", &first), ("msg_2", &second)] {
        call(&admin, &flow, secret, (name, ORDER)).await.is(202);
    }
    let third = rotate(&admin, &flow, 0).await;
    for (name, secret) in [("msg_3", &first), ("msg_4", &second)] {
        let refused = call(&admin, &flow, secret, (name, ORDER)).await;
        refused.problem(401, "signature_invalid");
    }
    call(&admin, &flow, &third, ("msg_5", ORDER)).await.is(202);
    let shown = admin.get(&path_of(&flow, "")).send().await.is(200).json();
    assert!(!shown.to_string().contains("whsec_"));
    let again = admin.post(&path_of(&flow, "/rotate-secret"));
    let again = again.header("idempotency-key", "once");
    again.again().send().await.is(200);
    again.send().await.problem(409, "idempotency_secret_shown");
    for entry in admin.records("operation=flows.rotate_secret").await {
        assert!(!entry.to_string().contains("whsec_"), "{entry}");
    }

    let long = admin
        .post(&path_of(&flow, "/rotate-secret"))
        .json(&json!({"grace_seconds": 604_801}));
    long.send().await.problem(422, "validation_failed");
    let other = server.tenant("bolt").await;
    let foreign = other.post(&path_of(&flow, "/rotate-secret")).send().await;
    foreign.problem(404, "not_found");
    let reader = admin.scoped(&["flows:read"]).await;
    let small = reader.post(&path_of(&flow, "/rotate-secret")).send().await;
    small.problem(403, "insufficient_scope");
    let steps = json!([{"id": "tell", "kind": "notify", "message": "x"}]);
    let deaf = make(&admin, json!({"name": "deaf", "steps": steps})).await;
    let deaf = admin.post(&path_of(&deaf, "/rotate-secret")).send().await;
    deaf.problem(409, "state_conflict");
}

#[tokio::test]
async fn a_call_is_bounded_and_never_read_as_anything_else() {
    let server = Server::start().await;
    let admin = server.admin();
    for name in ["a.csv", "b.csv"] {
        admin.upload(&format!("/in/{name}"), b"x").await;
    }
    let flow = make(
        &admin,
        json!({"name": "pick", "triggers": [{"kind": "hook"}], "steps": [
            {"id": "keep", "kind": "copy", "files": "/in/${trigger.body.name}", "to": "/kept/"},
        ]}),
    )
    .await;
    let secret = rotate(&admin, &flow, 0).await;
    let pick = async |id: &str, name: &str| {
        let body = json!({"name": name}).to_string();
        let made = call(&admin, &flow, &secret, (id, &body)).await;
        ended(&admin, made.is(202).json()["run_id"].as_str().unwrap()).await
    };
    completed(&pick("msg_1", "a.csv").await);
    for (id, name) in [("msg_2", "*"), ("msg_3", "../keys"), ("msg_4", "[ab].csv")] {
        let run = pick(id, name).await;
        assert_eq!(run["error_code"], "invalid_path", "{run}");
    }
    let run = pick("msg_5", "${run.id}").await;
    completed(&run);
    assert_eq!(step(&run, "keep")["files"], json!([]), "{run}");

    let large = format!("\"{}\"", "x".repeat(64 * 1024));
    let large = call(&admin, &flow, &secret, ("msg_6", &large)).await;
    large.problem(413, "body_too_large");
    let broken = call(&admin, &flow, &secret, ("msg_7", "{")).await;
    broken.problem(400, "malformed_request");
    let signed = ("msg_8", now(), "{}");
    let text = admin.nobody().post(&path_of(&flow, "/hook")).body("{}");
    let text = text
        .header("content-type", "text/plain")
        .header("webhook-id", signed.0)
        .header("webhook-timestamp", &signed.1.to_string())
        .header("webhook-signature", &sign(&secret, signed));
    text.send().await.problem(415, "unsupported_media_type");
    let off = json!({"enabled": false});
    admin
        .patch(&path_of(&flow, ""))
        .json(&off)
        .send()
        .await
        .is(200);
    let off = call(&admin, &flow, &secret, ("msg_9", "{}")).await;
    off.problem(409, "state_conflict");
    let nameless = admin.nobody().post("/flows/nameless/hook").body("{}");
    nameless.send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_call_acts_for_an_owner_who_is_there() {
    let server = Server::start().await;
    let admin = server.admin();
    let ann = colleague(&admin, "ann", "administrator").await;
    let flow = make(&ann, greeter("hers")).await;
    let secret = rotate(&ann, &flow, 0).await;
    let account = format!("/service-accounts/{}", flow["owner"].as_str().unwrap());
    let wish = json!({"state": "disabled"});
    admin.patch(&account).json(&wish).send().await.is(200);
    let refused = call(&admin, &flow, &secret, ("msg_1", "{}")).await;
    refused.problem(403, "principal_disabled");
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let server = Options::new()
        .set("rate_limits.auth", 3)
        .set("rate_limits.window_seconds", 6)
        .start()
        .await;
    let admin = server.admin();
    let flow = make(&admin, greeter("greet")).await;
    let secret = rotate(&admin, &flow, 0).await;
    let path = path_of(&flow, "/hook");
    for _ in 0..3 {
        let guess = send(&admin, &path, ("msg_1", now(), "{}"), "v1,AAAA").await;
        guess.problem(401, "signature_invalid");
    }
    let guess = send(&admin, &path, ("msg_1", now(), "{}"), "v1,AAAA").await;
    guess.problem(429, "rate_limited");
    let good = call(&admin, &flow, &secret, ("msg_1", "{}")).await;
    good.problem(429, "rate_limited");
    let begun = Instant::now();
    while call(&admin, &flow, &secret, ("msg_1", "{}")).await.status != 202 {
        assert!(begun.elapsed() < PATIENCE, "it is never let in again");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
