//! Transfers that fail: in time, with a cause, and without damage.

use std::fs;

use serde_json::json;

use super::{add_far, add_near, completed, failed, names};
use crate::kit::{Server, Sshd};

#[tokio::test]
async fn ends_that_do_not_exist_are_refused_or_fail() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/a", b"a").await;
    let submit = |source: &str, destination: &str| {
        admin
            .post("/transfers")
            .json(&json!({"source": source, "destination": destination}))
            .send()
    };
    submit("/missing", "near:/a").await.is(404);
    submit("/a", "nobody:/a")
        .await
        .problem(422, "remote_unknown");
    submit("/a", "near:/../a")
        .await
        .problem(400, "invalid_path");
    submit("/../a", "near:/a")
        .await
        .problem(400, "invalid_path");
    failed(
        &admin.transfer("near:/missing", "/in/a").await,
        "error",
        "source_not_found",
    );
}

#[tokio::test]
async fn a_taken_destination_follows_on_conflict() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/new", b"new").await;
    let taken = server.exchange().join("taken");
    fs::write(&taken, b"old").unwrap();
    failed(
        &admin.transfer("/new", "near:/taken").await,
        "error",
        "destination_exists",
    );
    assert_eq!(fs::read(&taken).unwrap(), b"old");
    let with = async |rule: &str| {
        let wish = json!({"source": "/new", "destination": "near:/taken", "on_conflict": rule});
        let made = admin
            .post("/transfers")
            .json(&wish)
            .send()
            .await
            .is(202)
            .json();
        admin
            .end_of_transfer(made["transfer_id"].as_str().unwrap())
            .await
    };
    completed(&with("rename").await);
    assert_eq!(fs::read(&taken).unwrap(), b"old");
    assert_eq!(names(&server.exchange()).len(), 2);
    assert_eq!(with("skip").await["state"], "completed");
    assert_eq!(fs::read(&taken).unwrap(), b"old");
    completed(&with("replace").await);
    assert_eq!(fs::read(&taken).unwrap(), b"new");
}

#[tokio::test]
async fn an_unreachable_remote_ends_as_failed_with_a_message() {
    let server = Server::start().await;
    let admin = server.admin();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let wish = json!({"name": "gone", "kind": "sftp", "host": "127.0.0.1", "port": closed, "username": "u",
        "password": "p", "host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMBP4DULoaQKf5w0hiSEhkkRxzjwTPUDZT0w5rbJ6Gd5"});
    admin.post("/remotes").json(&wish).send().await.is(201);
    admin.upload("/a", b"a").await;
    let wish = json!({"source": "/a", "destination": "gone:/a",
        "retry": {"max_attempts": 2, "initial_delay_seconds": 1, "max_delay_seconds": 1}});
    let made = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    let status = admin
        .end_of_transfer(made["transfer_id"].as_str().unwrap())
        .await;
    assert_eq!(status["state"], "failed", "{status}");
    assert_eq!(status["outcome"], "error");
    assert_eq!(status["attempt"], 2, "{status}");
    let code = status["error_code"].as_str().unwrap();
    assert!(
        ["remote_unreachable", "retries_exhausted"].contains(&code),
        "{status}"
    );
    assert!(!status["error_message"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_changed_host_key_blocks() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let other = Sshd::start("");
    add_far(&admin, &sshd, &other.host_key()).await;
    admin.upload("/a", b"a").await;
    failed(
        &admin.transfer("/a", "far:/a").await,
        "error",
        "host_key_changed",
    );
    assert!(names(&sshd.files()).is_empty());
}

#[tokio::test]
async fn a_wrong_private_key_fails_without_retries() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let remote = add_far(&admin, &sshd, &sshd.host_key()).await;
    let path = format!("/remotes/{}", remote["remote_id"].as_str().unwrap());
    let change = json!({"private_key": sshd.key("stranger")});
    admin.patch(&path).json(&change).send().await.is(200);
    admin.upload("/a", b"a").await;
    let status = admin.transfer("/a", "far:/a").await;
    failed(&status, "error", "remote_auth_failed");
    assert_eq!(status["attempt"], 1);
}
