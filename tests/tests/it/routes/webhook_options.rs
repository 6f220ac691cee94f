//! What a webhook can be told: filters, shape, order, signatures, limits, recovery.

use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::kit::{Api, LOOK_EVERY, PATIENCE, Received, Receiver, Server};

async fn subscribe(admin: &Api, wish: Value) -> Value {
    let call = admin.post("/webhooks").json(&wish);
    call.send().await.is(201).json()
}

fn own(webhook: &Value) -> String {
    format!("/webhooks/{}", webhook["webhook_id"].as_str().unwrap())
}

/// Waits for a webhook to be as wanted.
async fn webhook_that(admin: &Api, webhook: &Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let shown = admin.get(&own(webhook)).send().await.is(200).json();
        if wanted(&shown) {
            return shown;
        }
        assert!(begun.elapsed() < PATIENCE, "{shown}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test]
async fn events_are_chosen_by_remote_and_by_tag() {
    let server = Server::start().await;
    let admin = server.admin();
    super::transfers::add_near(&server).await;
    let (by_remote, by_tag) = (Receiver::start(), Receiver::start());
    let types = json!(["file.deleted", "transfer.completed"]);
    let wish = json!({"url": by_remote.url, "types": types, "filters": {"remote": "near"}});
    let made = subscribe(&admin, wish).await;
    assert_eq!(
        made["filters"],
        json!({"path_prefix": null, "remote": "near", "tag": null})
    );
    let wish = json!({"url": by_tag.url, "types": types, "filters": {"tag": "payroll"}});
    subscribe(&admin, wish).await;
    let plain = admin.upload("/w/plain.txt", b"a").await;
    let tagged = admin.upload("/w/tagged.txt", b"b").await;
    let path = |file: &Value| format!("/files/{}", file["file_id"].as_str().unwrap());
    let tag = admin
        .patch(&path(&tagged))
        .json(&json!({"tags": ["payroll"]}));
    tag.send().await.is(200);
    assert_eq!(
        admin.transfer("/w/plain.txt", "near:/a.txt").await["state"],
        "completed"
    );
    for file in [&plain, &tagged] {
        admin.delete(&path(file)).send().await.is(204);
    }
    let moved = by_remote.wait_for(1).await;
    assert_eq!(moved[0].json()["type"], "transfer.completed");
    let deleted = by_tag.wait_for(1).await;
    assert_eq!(deleted[0].json()["file_id"], tagged["file_id"]);
    // The deletions were told after the transfer: nothing else was on its way.
    assert_eq!(
        (by_remote.received().len(), by_tag.received().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn cloud_events_are_told_in_structured_mode() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let wish = json!({"url": receiver.url, "types": ["file.uploaded"], "format": "cloudevents"});
    let made = subscribe(&admin, wish).await;
    assert_eq!(made["format"], "cloudevents");
    let file = admin.upload("/w/a.txt", b"a").await;
    let received = receiver.wait_for(1).await.remove(0);
    let content_type = "application/cloudevents+json; charset=utf-8";
    assert_eq!(received.header("content-type"), content_type);
    let event = received.json();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], received.header("webhook-id"));
    assert_eq!(event["type"], "bailee.file.uploaded");
    assert_eq!(event["subject"], file["file_id"]);
    assert_eq!(event["data"]["file_id"], file["file_id"]);
    assert!(
        event["source"]
            .as_str()
            .unwrap()
            .starts_with("/tenants/ten_"),
        "{event}"
    );
    assert!(
        event["sequence"].is_string() && event["time"].is_string(),
        "{event}"
    );
    let nulls = event
        .as_object()
        .unwrap()
        .values()
        .filter(|value| value.is_null());
    assert_eq!(
        nulls.count(),
        0,
        "an empty attribute must be absent: {event}"
    );
}

/// The bytes that Standard Webhooks signs.
fn signed(received: &Received) -> Vec<u8> {
    let (id, time) = (
        received.header("webhook-id"),
        received.header("webhook-timestamp"),
    );
    [format!("{id}.{time}.").as_bytes(), &received.body].concat()
}

#[tokio::test]
async fn a_public_key_verifies_deliveries() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let wish = json!({"url": receiver.url, "types": ["file.uploaded"], "ed25519": true});
    let made = subscribe(&admin, wish).await;
    let key = made["public_key"].as_str().unwrap();
    let key = STANDARD.decode(key.strip_prefix("whpk_").unwrap()).unwrap();
    admin.upload("/w/a.txt", b"a").await;
    let received = receiver.wait_for(1).await.remove(0);
    let mut values = received.header("webhook-signature").split(' ');
    let signature = values.find_map(|value| value.strip_prefix("v1a,")).unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let key = UnparsedPublicKey::new(&ED25519, key);
    key.verify(&signed(&received), &signature).unwrap();
    let mut other = received.clone();
    other.body = [&received.body[..], b" "].concat().into();
    assert!(key.verify(&signed(&other), &signature).is_err());
    let kept = admin.patch(&own(&made)).json(&json!({"ed25519": true}));
    assert_eq!(
        kept.send().await.is(200).json()["public_key"],
        made["public_key"]
    );
    let off = admin.patch(&own(&made)).json(&json!({"ed25519": false}));
    assert_eq!(off.send().await.is(200).json()["public_key"], json!(null));
}

#[tokio::test]
async fn the_order_of_a_subject_is_kept() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    receiver.answer_with(&[500]);
    let wish = json!({"url": receiver.url, "types": ["file.*"], "ordering": "subject"});
    subscribe(&admin, wish).await;
    for number in 0..4 {
        let put = admin
            .put("/files/content?path=/w/a.txt")
            .body(format!("{number}"));
        assert!([200, 201].contains(&put.send().await.status));
    }
    // The first try fails, and is made again after five seconds; the others wait for it.
    let received = receiver.wait_for(5).await;
    let sequences: Vec<u64> = received
        .iter()
        .map(|one| one.json()["sequence"].as_u64().unwrap())
        .collect();
    let mut sorted = sequences.clone();
    sorted.sort_unstable();
    assert_eq!(sequences, sorted);
    assert_eq!(sequences[0], sequences[1], "{sequences:?}");
}

/// An event that comes while the one before it is settled sees it as open, and is not seen by it: nobody else would
/// ever send it.
#[tokio::test]
async fn nothing_about_a_subject_waits_for_ever() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let wish = json!({"url": receiver.url, "types": ["file.*"], "ordering": "subject"});
    subscribe(&admin, wish).await;
    let (writers, writes) = (6, 25);
    let write = async |writer: usize| {
        for number in 0..writes {
            let put = admin
                .put(&format!("/files/content?path=/w/{writer}"))
                .body(format!("{number}"));
            assert!([200, 201].contains(&put.send().await.status));
        }
    };
    futures::future::join_all((0..writers).map(write)).await;
    let received = receiver.wait_for(writers * writes).await;
    let mut last = std::collections::HashMap::new();
    for one in received {
        let told = one.json();
        let sequence = told["sequence"].as_u64().unwrap();
        let before = last.insert(told["data"]["path"].clone(), sequence);
        assert!(before < Some(sequence), "{told}");
    }
}

#[tokio::test]
async fn a_receiver_is_pressed_no_harder_than_it_was_said() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let limits = json!({"concurrency": 2, "per_second": 20});
    let wish = json!({"url": receiver.url, "types": ["file.uploaded"], "limits": limits});
    let made = subscribe(&admin, wish).await;
    assert_eq!(made["limits"], limits);
    for number in 0..30 {
        admin.upload(&format!("/w/{number}"), b"a").await;
    }
    receiver.wait_for(30).await;
    assert!(receiver.most_at_once() <= 2, "{}", receiver.most_at_once());
    let wrong = json!({"limits": {"concurrency": 17}});
    let wrong = admin.patch(&own(&made)).json(&wrong).send().await;
    wrong.problem(422, "validation_failed");
}

#[tokio::test]
async fn hanging_receivers_delay_nobody_else() {
    let server = Server::start().await;
    let admin = server.admin();
    let hanging: Vec<Receiver> = (0..5).map(|_| Receiver::start()).collect();
    for receiver in &hanging {
        receiver.hang();
        subscribe(
            &admin,
            json!({"url": receiver.url, "types": ["file.uploaded"]}),
        )
        .await;
    }
    for number in 0..20 {
        admin.upload(&format!("/before/{number}"), b"a").await;
    }
    for receiver in &hanging {
        receiver.wait_for(8).await;
    }
    let well = Receiver::start();
    let made = subscribe(&admin, json!({"url": well.url, "types": ["file.uploaded"]})).await;
    for number in 0..200 {
        admin.upload(&format!("/after/{number}"), b"a").await;
    }
    // Far less than the 15 s that a receiver has for its answer.
    let begun = Instant::now();
    well.wait_for(200).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let stats = format!("{}/stats", own(&made));
    let begun = Instant::now();
    loop {
        let stats = admin.get(&stats).send().await.is(200).json();
        if stats["succeeded"] == 200 {
            assert_eq!(stats["success_rate"], 1.0, "{stats}");
            assert!(stats["p95_seconds"].as_f64().unwrap() > 0.0, "{stats}");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{stats}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test]
async fn what_was_missed_is_recovered_once() {
    let server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    let wish = json!({"url": receiver.url, "types": ["file.uploaded"]});
    let made = subscribe(&admin, wish).await;
    admin.upload("/w/arrived", b"a").await;
    receiver.wait_for(1).await;
    receiver.answer_with(&[410]);
    admin.upload("/w/refused", b"a").await;
    webhook_that(&admin, &made, |shown| shown["state"] == "disabled").await;
    admin.upload("/w/missed", b"a").await;
    let enable = admin.post(&format!("{}/enable", own(&made)));
    enable.send().await.is(200);
    let recover = format!("{}/recover", own(&made));
    let since = json!({"since": made["created_at"]});
    for _ in 0..2 {
        let begun = admin
            .post(&recover)
            .json(&since)
            .send()
            .await
            .is(202)
            .json();
        assert!(begun["recovery"]["created_at"].is_string(), "{begun}");
        webhook_that(&admin, &made, |shown| {
            shown["recovery"]["finished_at"].is_string()
        })
        .await;
    }
    // One that arrived, one that was refused, and both that the recovery found.
    let received = receiver.wait_for(4).await;
    let mut ids: Vec<&str> = received
        .iter()
        .map(|one| one.header("webhook-id"))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((received.len(), ids.len()), (4, 3));
    let wrong = json!({"since": "2999-01-01T00:00:00Z"});
    let wrong = admin.post(&recover).json(&wrong).send().await;
    wrong.problem(422, "validation_failed");
}

#[tokio::test]
async fn a_full_payload_carries_the_object_as_the_api_shows_it() {
    let server = Server::start().await;
    let admin = server.admin();
    super::transfers::add_near(&server).await;
    let (full, thin) = (Receiver::start(), Receiver::start());
    let types = json!(["file.uploaded", "transfer.completed"]);
    let wish = json!({"url": full.url, "types": types, "payload": "full"});
    let made = subscribe(&admin, wish).await;
    assert_eq!(made["payload"], "full");
    subscribe(&admin, json!({"url": thin.url, "types": types})).await;
    let file = admin.upload("/a.csv", b"a").await;
    let told = full.wait_for(1).await[0].json();
    assert_eq!(told["data"]["object"], file);
    assert_eq!(told["data"]["file_id"], file["file_id"]);
    let status = admin.transfer("/a.csv", "near:/a.csv").await;
    let path = format!("/transfers/{}", status["transfer_id"].as_str().unwrap());
    let transfer = admin.get(&path).send().await.is(200).json();
    let told = full.wait_for(2).await[1].json();
    assert_eq!(told["data"]["object"], transfer);
    for received in thin.wait_for(2).await {
        assert_eq!(received.json()["data"].get("object"), None);
    }
    let change = admin.patch(&own(&made)).json(&json!({"payload": "thin"}));
    assert_eq!(change.send().await.is(200).json()["payload"], "thin");
    let bad = json!({"url": full.url, "types": types, "payload": "huge"});
    let refused = admin.post("/webhooks").json(&bad).send().await;
    refused.problem(422, "validation_failed");
}
