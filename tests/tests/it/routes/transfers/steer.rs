//! Transfers that are cancelled, paused, late, or lose their server.

use std::fs;

use serde_json::json;

use super::{add_far, add_near, completed, failed, names};
use crate::kit::{Server, Sshd, pattern};

#[tokio::test]
async fn a_cancelled_transfer_ends_the_same_loop() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/a", b"a").await;
    let wish =
        json!({"source": "/a", "destination": "near:/a", "start_at": "2999-01-01T00:00:00Z"});
    let made = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    let id = made["transfer_id"].as_str().unwrap();
    admin
        .post(&format!("/transfers/{id}/cancel"))
        .send()
        .await
        .is(202);
    failed(&admin.end_of_transfer(id).await, "cancelled", "cancelled");
    let late = admin.post(&format!("/transfers/{id}/cancel")).send().await;
    late.problem(409, "state_conflict");
    assert!(names(&server.exchange()).is_empty());
    // A retry is a new transfer.
    let retried = admin
        .post(&format!("/transfers/{id}/retry"))
        .send()
        .await
        .is(202)
        .json();
    assert_eq!(retried["retry_of"], id);
    assert_ne!(retried["transfer_id"], id);
}

#[tokio::test]
async fn a_transfer_is_paused_resumed_and_paused_again() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/a", b"a").await;
    let start_at = "2999-01-01T00:00:00Z";
    let wish = json!({"source": "/a", "destination": "near:/a", "start_at": start_at});
    let made = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    let id = made["transfer_id"].as_str().unwrap();
    let paused = admin
        .post(&format!("/transfers/{id}/pause"))
        .send()
        .await
        .is(202)
        .json();
    assert_eq!(paused["state"], "paused");
    assert_eq!(paused["paused_reason"], "operator");
    admin
        .post(&format!("/transfers/{id}/resume"))
        .send()
        .await
        .is(202);
    // Resumed, it waits for its own time as before.
    let status = admin
        .get(&format!("/transfers/{id}/status"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(status["state"], "queued", "{status}");
    admin
        .post(&format!("/transfers/{id}/pause"))
        .send()
        .await
        .is(202);
    admin
        .post(&format!("/transfers/{id}/cancel"))
        .send()
        .await
        .is(202);
    failed(&admin.end_of_transfer(id).await, "cancelled", "cancelled");
}

#[tokio::test]
async fn a_passed_deadline_ends_as_expired() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/a", b"a").await;
    let wish =
        json!({"source": "/a", "destination": "near:/a", "deadline": "2001-01-01T00:00:00Z"});
    let made = admin.post("/transfers").json(&wish).send().await;
    if made.status == 202 {
        let status = admin
            .end_of_transfer(made.json()["transfer_id"].as_str().unwrap())
            .await;
        failed(&status, "expired", "deadline_exceeded");
    } else {
        made.problem(422, "validation_failed");
    }
    assert!(names(&server.exchange()).is_empty());
}

#[tokio::test]
async fn a_transfer_survives_a_killed_server_and_happens_once() {
    let mut server = Server::start().await;
    let sshd = Sshd::start("");
    add_far(&server.admin(), &sshd, &sshd.host_key()).await;
    let content = pattern(6, 64 << 20);
    server
        .admin()
        .put("/files/content?path=/big.bin")
        .body(content.clone())
        .send()
        .await
        .is(201);
    let wish = json!({"source": "/big.bin", "destination": "far:/big.bin"});
    let made = server
        .admin()
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    let id = made["transfer_id"].as_str().unwrap().to_owned();
    // Held until it has begun.
    server
        .admin()
        .get(&format!("/transfers/{id}/status?wait=10"))
        .send()
        .await
        .is(200);
    server.kill();
    let partial: Vec<String> = names(&sshd.files())
        .into_iter()
        .filter(|name| name == "big.bin")
        .collect();
    if !partial.is_empty() {
        assert_eq!(
            fs::read(sshd.files().join("big.bin")).unwrap(),
            content,
            "partial under its final name"
        );
    }
    server.start_again().await;
    completed(&server.admin().end_of_transfer(&id).await);
    assert_eq!(fs::read(sshd.files().join("big.bin")).unwrap(), content);
    assert_eq!(names(&sshd.files()), ["big.bin"]);
}
