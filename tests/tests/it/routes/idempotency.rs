//! `Idempotency-Key`.

use serde_json::{Value, json};

use crate::kit::{Form, Server};

#[tokio::test]
async fn a_repeated_post_happens_once() {
    let server = Server::start().await;
    let admin = server.admin();
    super::transfers::add_near(&server).await;
    admin.upload("/a", b"a").await;
    let wish = json!({"source": "/a", "destination": "near:/a"});
    let post = || {
        admin
            .post("/transfers")
            .header("idempotency-key", "\"k-1\"")
            .json(&wish)
            .send()
    };
    let first = post().await;
    let first_body = first.is(202).json();
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = post().await;
    assert_eq!(again.is(202).json(), first_body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(admin.all("/transfers?limit=10").await.len(), 1);
    let other = admin.post("/transfers").header("idempotency-key", "k-1");
    let other = other
        .json(&json!({"source": "/a", "destination": "near:/b"}))
        .send()
        .await;
    other.problem(422, "idempotency_key_reused");
    // Another tenant's key is another key.
    let bolt = server.tenant("bolt").await;
    let wish = json!({"path": "/a"});
    bolt.post("/folders")
        .header("idempotency-key", "k-1")
        .json(&wish)
        .send()
        .await
        .is(201);
}

#[tokio::test]
async fn a_hundred_at_once_have_one_effect() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"destination": "i", "filename": "f"});
    let posts = (0..100).map(|_| {
        admin
            .post("/uploads")
            .header("idempotency-key", "many")
            .json(&wish)
            .send()
    });
    let mut sessions = Vec::new();
    for answer in futures::future::join_all(posts).await {
        if answer.status == 409 {
            let problem = answer.problem(409, "idempotency_key_in_progress");
            assert!(problem["retry_after"].is_u64(), "{problem}");
        } else {
            sessions.push(answer.is(201).json()["session_id"].clone());
        }
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1);
    assert_eq!(admin.all("/uploads?limit=10").await.len(), 1);
}

#[tokio::test]
async fn a_refused_request_may_be_corrected_under_the_same_key() {
    let server = Server::start().await;
    let admin = server.admin();
    let post = |body: Value| {
        admin
            .post("/folders")
            .header("idempotency-key", "fix")
            .json(&body)
            .send()
    };
    post(json!({"path": "/../a"}))
        .await
        .problem(400, "invalid_path");
    post(json!({"path": "/a"})).await.is(201);
}

#[tokio::test]
async fn a_repeated_upload_form_is_answered_from_memory() {
    let server = Server::start().await;
    let admin = server.admin();
    let send = || {
        admin
            .post("/files/upload")
            .header("idempotency-key", "form")
            .header("content-type", &Form::content_type())
            .body(
                Form::new()
                    .text("destination", "i")
                    .file("a", b"same")
                    .body(),
            )
            .send()
    };
    let first = send().await.is(201).json();
    let again = send().await;
    assert_eq!(again.is(201).json(), first);
    assert_eq!(again.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn a_key_of_bad_characters_is_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    for key in ["", "a b", &"x".repeat(256)] {
        let post = admin
            .post("/folders")
            .header("idempotency-key", key)
            .json(&json!({"path": "/a"}));
        post.send().await.problem(400, "invalid_parameter");
    }
    // A shown-once secret is not kept for a replay.
    let wish = json!({"name": "once", "scopes": ["files:read"]});
    let post = || {
        admin
            .post("/api-keys")
            .header("idempotency-key", "key")
            .json(&wish)
            .send()
    };
    assert!(post().await.is(201).json()["api_key"].is_string());
    let problem = post().await.problem(409, "idempotency_secret_shown");
    let keys = admin.all("/api-keys?limit=50").await;
    let made: Vec<&Value> = keys.iter().filter(|key| key["name"] == "once").collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(problem["made_id"], made[0]["key_id"]);
}
