//! What rules find, each provoked and over again: failures, remotes and webhooks that fare badly.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::kit::{Api, LOOK_EVERY, PATIENCE, Receiver, Server, Sshd};

/// Makes a rule; answers where its alerts are.
async fn rule(admin: &Api, kind: &str, part: Value) -> String {
    let mut wish = json!({"name": part.to_string(), "kind": kind});
    wish[kind] = part;
    let made = admin.post("/alert-rules").json(&wish).send().await;
    let made = made.is(201).json();
    let id = made["alert_rule_id"].as_str().unwrap();
    format!("/alerts?limit=100&alert_rule_id={id}")
}

/// The first alert of a rule once it is in this state. Rules look each minute, when nothing tells them to.
async fn alert_that_is(admin: &Api, alerts: &str, state: &str) -> Value {
    let begun = Instant::now();
    loop {
        let found = admin.all(alerts).await;
        if let Some(alert) = found.into_iter().find(|alert| alert["state"] == state) {
            return alert;
        }
        assert!(begun.elapsed() < PATIENCE * 4, "no alert is {state}");
        tokio::time::sleep(LOOK_EVERY * 4).await;
    }
}

async fn far(admin: &Api, sshd: &Sshd, port: u16) -> String {
    let wish = json!({
        "name": "far", "kind": "sftp", "host": "127.0.0.1", "port": port, "username": sshd.user,
        "private_key": sshd.key("ed25519"), "host_key": sshd.host_fingerprint(),
        "base_path": sshd.files().to_str().unwrap(),
    });
    let made = admin.post("/remotes").json(&wish).send().await;
    let made = made.is(201).json();
    format!("/remotes/{}", made["remote_id"].as_str().unwrap())
}

/// A transfer that is tried once.
async fn submit(admin: &Api, destination: &str) -> String {
    let wish = json!({"source": "/a", "destination": destination, "retry": {"max_attempts": 1}});
    let made = admin.post("/transfers").json(&wish).send().await;
    let id = made.is(202).json()["transfer_id"].clone();
    id.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_share_of_failures_is_told_until_others_succeed() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let own = far(&admin, &sshd, sshd.port).await;
    admin
        .patch(&own)
        .json(&json!({"base_path": "/nowhere/at/all"}))
        .send()
        .await
        .is(200);
    admin.upload("/a", b"a").await;
    let share = json!({"measure": "failed_share", "above": 50, "minutes": 60, "ended_min": 1});
    let alerts = rule(&admin, "threshold", share).await;
    let failed = submit(&admin, "far:/no/such/folder/a").await;
    assert_eq!(admin.end_of_transfer(&failed).await["state"], "failed");
    let alert = alert_that_is(&admin, &alerts, "firing").await;
    assert_eq!(
        (&alert["problem"], &alert["facts"]["value"]),
        (&json!("above"), &json!(100))
    );
    for destination in ["/b", "/c"] {
        let good = submit(&admin, destination).await;
        assert_eq!(admin.end_of_transfer(&good).await["state"], "completed");
    }
    alert_that_is(&admin, &alerts, "resolved").await;
}

#[tokio::test]
async fn remotes_and_receivers_that_fail_for_a_minute_are_told_until_they_are_well() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = dead.local_addr().unwrap().port();
    drop(dead);
    let own = far(&admin, &sshd, port).await;
    let (bad, good) = (Receiver::start(), Receiver::start());
    bad.answer_with(&[500; 100]);
    let wish = json!({"url": bad.url, "types": ["file.uploaded"]});
    let hook = admin.post("/webhooks").json(&wish).send().await;
    let hook = hook.is(201).json();
    let watch = |what: &str| json!({"what": [what], "minutes": 1});
    let remotes = rule(&admin, "health", watch("remotes")).await;
    let webhooks = rule(&admin, "health", watch("webhooks")).await;
    admin.upload("/a", b"a").await;
    for number in 0..5 {
        let failed = submit(&admin, &format!("far:/{number}")).await;
        assert_eq!(admin.end_of_transfer(&failed).await["state"], "failed");
    }

    let alert = alert_that_is(&admin, &remotes, "firing").await;
    assert_eq!(
        (&alert["problem"], &alert["facts"]["remote"]),
        (&json!("circuit_open"), &json!("far"))
    );
    assert_eq!(alert["facts"]["error_code"], "remote_unreachable");
    let alert = alert_that_is(&admin, &webhooks, "firing").await;
    assert_eq!(
        (&alert["problem"], &alert["facts"]["webhook_id"]),
        (&json!("failing"), &hook["webhook_id"])
    );

    let moved = json!({
        "port": sshd.port, "private_key": sshd.key("ed25519"), "host_key": sshd.host_fingerprint(),
    });
    admin.patch(&own).json(&moved).send().await.is(200);
    let path = format!("/webhooks/{}", hook["webhook_id"].as_str().unwrap());
    let moved = json!({"url": good.url});
    admin.patch(&path).json(&moved).send().await.is(200);
    let arrived = submit(&admin, "far:/b").await;
    assert_eq!(admin.end_of_transfer(&arrived).await["state"], "completed");
    admin.upload("/b", b"b").await;
    good.wait_for(1).await;
    alert_that_is(&admin, &remotes, "resolved").await;
    alert_that_is(&admin, &webhooks, "resolved").await;
}
