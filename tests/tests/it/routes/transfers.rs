//! `/transfers`: to and from an OpenSSH server and a folder of this machine.

use std::fs;

use serde_json::{Value, json};

use crate::kit::{Api, Server, Sshd, pattern, sha256};

/// A remote `far` at an OpenSSH server.
async fn add_far(admin: &Api, sshd: &Sshd, host_key: &str) -> Value {
    let wish = json!({
        "name": "far", "kind": "sftp", "host": "127.0.0.1", "port": sshd.port, "username": sshd.user,
        "private_key": sshd.key("ed25519"), "host_key": host_key, "base_path": sshd.files().to_str().unwrap(),
    });
    admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json()
}

/// A remote `near`, a folder of this machine.
pub(super) async fn add_near(server: &Server) -> Value {
    let wish =
        json!({"name": "near", "kind": "local", "folder": server.exchange().to_str().unwrap()});
    server
        .admin()
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json()
}

#[track_caller]
fn completed(status: &Value) {
    assert_eq!(status["state"], "completed", "{status}");
    assert_eq!(status["outcome"], "succeeded", "{status}");
    assert_eq!(status["bytes_done"], status["bytes_total"], "{status}");
}

#[track_caller]
fn failed(status: &Value, outcome: &str, code: &str) {
    assert_eq!(status["state"], "failed", "{status}");
    assert_eq!(status["outcome"], outcome, "{status}");
    assert_eq!(status["error_code"], code, "{status}");
    assert!(
        !status["error_message"].as_str().unwrap().is_empty(),
        "{status}"
    );
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_goes_to_an_sftp_server_and_comes_back() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    add_far(&admin, &sshd, &sshd.host_key()).await;
    for (name, size) in [("empty", 0), ("small", 26), ("large", (20 << 20) + 3)] {
        let content = pattern(size as u64, size);
        let file = admin.upload(&format!("/out/{name}"), &content).await;
        completed(
            &admin
                .transfer(&format!("out/{name}"), &format!("far:/{name}"))
                .await,
        );
        assert_eq!(fs::read(sshd.files().join(name)).unwrap(), content);
        let by_id = admin
            .transfer(
                file["file_id"].as_str().unwrap(),
                &format!("far:/{name}-by-id"),
            )
            .await;
        completed(&by_id);
        completed(
            &admin
                .transfer(&format!("far:/{name}"), &format!("/in/{name}"))
                .await,
        );
        let back = admin
            .get(&format!("/files/lookup?path=/in/{name}"))
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(back["hash"], sha256(&content));
        assert_eq!(
            admin.download(back["file_id"].as_str().unwrap()).await,
            content
        );
    }
    let expected = [
        "empty",
        "empty-by-id",
        "large",
        "large-by-id",
        "small",
        "small-by-id",
    ];
    assert_eq!(names(&sshd.files()), expected);
    server.check_usage().await;
}

#[tokio::test]
async fn an_accepted_transfer_is_told_as_the_contract_says() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/reports/report.csv", b"a;b").await;
    let wish = json!({"source": "reports/report.csv", "destination": "near:/report.csv", "notify_on_completion": true});
    let made = admin.post("/transfers").json(&wish).send().await;
    let body = made.is(202).json();
    let id = body["transfer_id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/transfers/{id}"));
    assert_eq!(body["status_url"], format!("/v1/transfers/{id}/status"));
    assert_eq!(body["source"], "/reports/report.csv");
    assert_eq!(body["destination"], "near:/report.csv");
    completed(&admin.end_of_transfer(id).await);
    let whole = admin
        .get(&format!("/transfers/{id}"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(whole["files_done"], 1);
    assert!(whole["finished_at"].is_string());
    assert_eq!(whole["error_message"], json!(null));
    let other = server.tenant("bolt").await;
    other
        .get(&format!("/transfers/{id}/status"))
        .send()
        .await
        .problem(404, "not_found");
    let rows = admin.all("/transfers?limit=5&state=completed").await;
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn inside_bailee_and_between_remotes_bytes_arrive_too() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    add_far(&admin, &sshd, &sshd.host_key()).await;
    add_near(&server).await;
    let content = pattern(5, 9 << 20);
    admin.upload("/a/x.bin", &content).await;
    completed(&admin.transfer("/a/x.bin", "/b/y.bin").await);
    completed(&admin.transfer("/b/y.bin", "near:/y.bin").await);
    completed(&admin.transfer("near:/y.bin", "far:/z.bin").await);
    assert_eq!(fs::read(sshd.files().join("z.bin")).unwrap(), content);
    // A folder at the far end: the file keeps its name.
    fs::create_dir(sshd.files().join("in")).unwrap();
    completed(&admin.transfer("/a/x.bin", "far:/in/").await);
    assert_eq!(fs::read(sshd.files().join("in/x.bin")).unwrap(), content);
    assert_eq!(names(&server.exchange()), ["y.bin"]);
}

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
