//! `/webhooks` and `/deliveries`.

use std::time::Instant;

use serde_json::{Value, json};

use crate::kit::{Api, LOOK_EVERY, PATIENCE, Receiver, Server, body_signature, standard_signature};

async fn subscribe(admin: &Api, wish: Value) -> (Value, String) {
    let made = admin
        .post("/webhooks")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    (made, secret)
}

fn own(webhook: &Value) -> String {
    format!("/webhooks/{}", webhook["webhook_id"].as_str().unwrap())
}

/// The deliveries of a webhook once `count` of them are in `state`.
async fn deliveries(admin: &Api, webhook: &Value, state: &str, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let id = webhook["webhook_id"].as_str().unwrap();
        let rows = admin
            .all(&format!(
                "/deliveries?limit=50&webhook_id={id}&state={state}"
            ))
            .await;
        if rows.len() >= count {
            return rows;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{} of {count} {state}",
            rows.len()
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test]
async fn an_event_arrives_signed_in_both_ways() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let (webhook, secret) =
        subscribe(&admin, json!({"url": receiver.url, "types": ["file.*"]})).await;
    let file = admin.upload("/w/a.txt", b"a").await;
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(
        received.header("x-signature"),
        body_signature(&secret, &received.body)
    );
    assert_eq!(
        received.header("webhook-signature"),
        standard_signature(&secret, &received)
    );
    let body = received.json();
    assert_eq!(body["type"], "file.uploaded");
    assert_eq!(body["file_id"], file["file_id"]);
    assert_eq!(
        received.header("webhook-id"),
        body["event_id"].as_str().unwrap()
    );
    let rows = deliveries(&admin, &webhook, "succeeded", 1).await;
    assert_eq!(rows[0]["answer_status"], 200);
    assert_eq!(rows[0]["attempt"], 1);
    assert_eq!(
        rows[0]["request_body"].as_str().unwrap().as_bytes(),
        &received.body[..]
    );
    let shown = admin.get(&own(&webhook)).send().await.is(200).json();
    assert_eq!(shown["secret"], json!(null));
}

#[tokio::test]
async fn a_transfer_event_has_transfer_id_and_status_at_top_level() {
    let server = Server::start().await;
    let admin = server.admin();
    super::transfers::add_near(&server).await;
    let receiver = Receiver::start();
    subscribe(
        &admin,
        json!({"url": receiver.url, "types": ["transfer.completed"]}),
    )
    .await;
    admin.upload("/w/a.txt", b"a").await;
    assert_eq!(
        admin.transfer("/w/a.txt", "near:/a.txt").await["state"],
        "completed"
    );
    let received = receiver.wait_for(1).await.remove(0).json();
    assert_eq!(received["type"], "transfer.completed");
    assert!(
        received["transfer_id"]
            .as_str()
            .unwrap()
            .starts_with("xfr_")
    );
    assert_eq!(received["status"], "completed");
    assert_eq!(received["data"]["outcome"], "succeeded");
}

#[tokio::test]
async fn a_refused_delivery_comes_again_with_the_same_id() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    receiver.answer_with(&[401]);
    let (webhook, secret) = subscribe(
        &admin,
        json!({"url": receiver.url, "types": ["file.uploaded"]}),
    )
    .await;
    admin.upload("/w/a.txt", b"a").await;
    let received = receiver.wait_for(2).await;
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(
        received[1].header("x-signature"),
        body_signature(&secret, &received[1].body)
    );
    deliveries(&admin, &webhook, "failed", 1).await;
    let rows = deliveries(&admin, &webhook, "succeeded", 1).await;
    assert_eq!(rows[0]["attempt"], 2);
}

#[tokio::test]
async fn gone_disables_and_enabling_goes_on() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    receiver.answer_with(&[410]);
    let (webhook, _) = subscribe(
        &admin,
        json!({"url": receiver.url, "types": ["file.uploaded"]}),
    )
    .await;
    admin.upload("/w/a.txt", b"a").await;
    let begun = Instant::now();
    loop {
        let shown = admin.get(&own(&webhook)).send().await.is(200).json();
        if shown["state"] == "disabled" {
            assert!(shown["disabled_reason"].is_string(), "{shown}");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{shown}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let enabled = admin
        .post(&format!("{}/enable", own(&webhook)))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(enabled["state"], "enabled");
    admin.upload("/w/b.txt", b"b").await;
    let received = receiver.wait_for(2).await;
    assert_ne!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
}

#[tokio::test]
async fn filters_and_types_choose() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let wish = json!({"url": receiver.url, "types": ["file.uploaded"], "filters": {"path_prefix": "/in"}, "body_hmac": false});
    let (webhook, _) = subscribe(&admin, wish).await;
    admin.upload("/out/a.txt", b"a").await;
    let wanted = admin.upload("/in/b.txt", b"b").await;
    admin.download(wanted["file_id"].as_str().unwrap()).await;
    let ping = admin
        .post(&format!("{}/test", own(&webhook)))
        .json(&json!({}))
        .send()
        .await;
    ping.is(202);
    // The test event was made last, so whatever else was meant for the receiver is there with it.
    let received = receiver.wait_for(2).await;
    let mut types: Vec<Value> = received
        .iter()
        .map(|one| one.json()["type"].clone())
        .collect();
    types.sort_by_key(ToString::to_string);
    assert_eq!(types, [json!("file.uploaded"), json!("ping")]);
    assert!(
        received
            .iter()
            .all(|one| one.header("x-signature").is_empty())
    );
    let uploaded = received
        .iter()
        .find(|one| one.json()["type"] == "file.uploaded")
        .unwrap();
    assert_eq!(uploaded.json()["file_id"], wanted["file_id"]);
}

#[tokio::test]
async fn two_secrets_sign_while_rotating() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let (webhook, old) = subscribe(
        &admin,
        json!({"url": receiver.url, "types": ["file.uploaded"]}),
    )
    .await;
    let path = format!("{}/rotate-secret", own(&webhook));
    let rotated = admin
        .post(&path)
        .json(&json!({"grace_seconds": 600}))
        .send()
        .await
        .is(200)
        .json();
    let new = rotated["secret"].as_str().unwrap();
    assert_ne!(new, old);
    admin.upload("/w/a.txt", b"a").await;
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(
        received.header("x-signature"),
        body_signature(&old, &received.body),
        "the plain header changes over when the overlap ends"
    );
    let signatures: Vec<&str> = received.header("webhook-signature").split(' ').collect();
    assert_eq!(signatures.len(), 2, "{signatures:?}");
    for secret in [new, &old] {
        assert!(signatures.contains(&standard_signature(secret, &received).as_str()));
    }
    let ended = admin.post(&path).json(&json!({"grace_seconds": 0}));
    let ended = ended.send().await.is(200).json();
    admin.upload("/w/b.txt", b"b").await;
    let received = receiver.wait_for(2).await.remove(1);
    assert_eq!(
        received.header("x-signature"),
        body_signature(ended["secret"].as_str().unwrap(), &received.body)
    );
}

#[tokio::test]
async fn a_delivery_can_be_sent_again() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let (webhook, _) = subscribe(
        &admin,
        json!({"url": receiver.url, "types": ["file.uploaded"]}),
    )
    .await;
    admin.upload("/w/a.txt", b"a").await;
    let rows = deliveries(&admin, &webhook, "succeeded", 1).await;
    let path = format!("/deliveries/{}", rows[0]["delivery_id"].as_str().unwrap());
    admin.get(&path).send().await.is(200);
    admin
        .post(&format!("{path}/redeliver"))
        .send()
        .await
        .is(202);
    let received = receiver.wait_for(2).await;
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
    let other = server.tenant("bolt").await;
    other.get(&path).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn forbidden_targets_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let refused = [
        "http://169.254.169.254/latest/meta-data",
        "http://example.com/hook",
        "ftp://example.com/hook",
        "https://user:pw@example.com/hook",
        "not an address",
    ];
    for url in refused {
        let answer = admin
            .post("/webhooks")
            .json(&json!({"url": url, "types": ["ping"]}))
            .send()
            .await;
        answer.is(422);
    }
    for types in [json!([]), json!(["file.renamed"]), json!(["fil*"])] {
        let wish = json!({"url": "https://example.com/hook", "types": types});
        admin.post("/webhooks").json(&wish).send().await.is(422);
    }
    assert!(admin.all("/webhooks?limit=5").await.is_empty());
}

#[tokio::test]
async fn forbidden_addresses_are_never_connected_to() {
    let server = Server::start().await;
    let admin = server.admin();
    let urls = [
        "https://169.254.169.254/",
        "https://10.0.0.1/hook",
        "https://192.168.1.1/hook",
        "https://[fe80::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://2852039166/hook",
    ];
    for url in urls {
        let made = admin
            .post("/webhooks")
            .json(&json!({"url": url, "types": ["ping"]}))
            .send()
            .await;
        if made.status == 422 {
            made.problem(422, "address_not_allowed");
            continue;
        }
        // The address is judged when it is connected to.
        let webhook = made.is(201).json();
        admin
            .post(&format!("{}/test", own(&webhook)))
            .json(&json!({}))
            .send()
            .await
            .is(202);
        let rows = deliveries(&admin, &webhook, "failed", 1).await;
        let error = rows[0]["error"].as_str().unwrap();
        assert!(error.contains("does not connect to"), "{url}: {error}");
        assert_eq!(rows[0]["answer_status"], json!(null));
    }
}

#[tokio::test]
async fn a_removed_webhook_gets_nothing_more() {
    let server = Server::start().await;
    let admin = server.admin();
    let (kept, removed) = (Receiver::start(), Receiver::start());
    subscribe(&admin, json!({"url": kept.url, "types": ["file.uploaded"]})).await;
    let (webhook, _) = subscribe(
        &admin,
        json!({"url": removed.url, "types": ["file.uploaded"]}),
    )
    .await;
    let changed = admin
        .patch(&own(&webhook))
        .json(&json!({"types": ["file.uploaded", "ping"]}))
        .send()
        .await;
    assert_eq!(
        changed.is(200).json()["types"],
        json!(["file.uploaded", "ping"])
    );
    admin.delete(&own(&webhook)).send().await.is(204);
    admin
        .get(&own(&webhook))
        .send()
        .await
        .problem(404, "not_found");
    admin.upload("/w/a.txt", b"a").await;
    kept.wait_for(1).await;
    assert!(removed.received().is_empty());
}
