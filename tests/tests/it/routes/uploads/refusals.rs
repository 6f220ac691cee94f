//! Uploads that are refused, cut or given up, and what stays of them.

use serde_json::json;

use super::{complete, id, open, part};
use crate::kit::{Options, Raw, Server, pattern, sha256, sha256_base64};

#[tokio::test]
async fn what_does_not_fit_leaves_the_session_open() {
    let server = Server::start().await;
    let admin = server.admin();
    let session = open(
        &admin,
        json!({"destination": "m", "filename": "f", "size": 30}),
    )
    .await;
    let put =
        |number: usize, bytes: &'static [u8]| admin.put(&part(&session, number)).body(bytes).send();
    put(0, b"0123456789").await.is(200);
    put(2, b"abcdefghij").await.is(200);
    let missing = admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await;
    // The declared size is not reached either, so the end counts as missing.
    assert_eq!(
        missing.problem(409, "parts_missing")["missing"],
        json!([1, 3])
    );
    let wrong = admin
        .put(&part(&session, 1))
        .header("content-digest", &sha256_base64(b"?"))
        .body("ABCDEFGHIJ");
    wrong.send().await.problem(422, "digest_mismatch");
    put(1, b"ABCDEFGHIJKL").await.is(200);
    admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .problem(422, "size_mismatch");
    put(1, b"ABCDEFGHIJ").await.is(200);
    let wish = json!({"hash": sha256(b"something else")});
    admin
        .post(&complete(&session))
        .json(&wish)
        .send()
        .await
        .problem(422, "digest_mismatch");
    let file = admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(
        &admin.download(file["file_id"].as_str().unwrap()).await[..],
        b"0123456789ABCDEFGHIJabcdefghij"
    );
    server.check_usage().await;
}

#[tokio::test]
async fn parts_out_of_range_and_empty_parts_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let session = open(&admin, json!({"destination": "o", "filename": "f"})).await;
    let beyond = admin.put(&part(&session, 10_000)).body("x").send().await;
    assert!(
        [400, 404, 422].contains(&beyond.status),
        "{}",
        beyond.status
    );
    for number in ["-1", "x", "4294967296", "1.5"] {
        let path = format!("/uploads/{}/parts/{number}", id(&session));
        admin
            .put(&path)
            .body("x")
            .send()
            .await
            .problem(404, "not_found");
    }
    let empty = admin.put(&part(&session, 0)).body("").send().await;
    assert!([400, 422].contains(&empty.status), "{}", empty.status);
    let wishes = [
        json!({"destination": "o", "filename": "f", "part_size": 1}),
        json!({"destination": "o", "filename": "f", "part_size": 2_u64 << 30}),
        json!({"destination": "o", "filename": "f", "size": -1}),
        json!({"destination": "o", "filename": "a/b"}),
        json!({"destination": "../o", "filename": "f"}),
    ];
    for wish in wishes {
        let answer = admin.post("/uploads").json(&wish).send().await;
        assert!(
            [400, 422].contains(&answer.status),
            "{wish}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn a_part_that_is_cut_is_not_held() {
    let server = Server::start().await;
    let admin = server.admin();
    let content = pattern(2, 300_000);
    let session = open(
        &admin,
        json!({"destination": "k", "filename": "f", "size": content.len()}),
    )
    .await;
    let head = format!(
        "PUT /v1{} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
        part(&session, 0),
        admin.key(),
        content.len()
    );
    let mut raw = Raw::connect(&server).await;
    raw.send(head.as_bytes()).await;
    raw.send(&content[..150_000]).await;
    let answer = raw.cut_and_rest().await;
    assert!(!answer.contains(" 200 "), "{answer}");
    let seen = admin
        .get(&format!("/uploads/{}", id(&session)))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(seen["received"], json!([]));
    admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .problem(409, "parts_missing");
    admin
        .put(&part(&session, 0))
        .body(content.clone())
        .send()
        .await
        .is(200);
    let file = admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(file["hash"], sha256(&content));
}

#[tokio::test]
async fn an_aborted_session_takes_nothing_more() {
    let server = Server::start().await;
    let admin = server.admin();
    let session = open(&admin, json!({"destination": "q", "filename": "f"})).await;
    let own = format!("/uploads/{}", id(&session));
    admin.put(&part(&session, 0)).body("x").send().await.is(200);
    assert_eq!(admin.all("/uploads?limit=10").await.len(), 1);
    admin.delete(&own).send().await.is(204);
    let late = admin.put(&part(&session, 1)).body("y").send().await;
    assert!([404, 409].contains(&late.status), "{}", late.status);
    let late = admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await;
    assert!([404, 409].contains(&late.status), "{}", late.status);
    assert!(admin.all("/uploads?limit=10").await.is_empty());
    admin.get("/files/lookup?path=/q/f").send().await.is(404);
    server.check_usage().await;
}

#[tokio::test]
async fn a_taken_path_is_409_at_the_end() {
    let server = Server::start().await;
    let admin = server.admin();
    let session = open(&admin, json!({"destination": "z", "filename": "f"})).await;
    admin
        .put(&part(&session, 0))
        .body("late")
        .send()
        .await
        .is(200);
    admin.upload("/z/f", b"first").await;
    admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .problem(409, "file_exists");
    let early = json!({"destination": "z", "filename": "f"});
    let early = admin.post("/uploads").json(&early).send().await;
    assert!([201, 409].contains(&early.status), "{}", early.status);
    let session = open(
        &admin,
        json!({"destination": "z", "filename": "f", "overwrite": true}),
    )
    .await;
    admin
        .put(&part(&session, 0))
        .body("second")
        .send()
        .await
        .is(200);
    let file = admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(file["version"], 2);
}

#[tokio::test]
async fn an_upload_beyond_the_largest_file_is_413() {
    let server = Options::new()
        .set("uploads.max_file_bytes", 100_000)
        .start()
        .await;
    let admin = server.admin();
    let wish = json!({"destination": "l", "filename": "f", "size": 100_001});
    admin
        .post("/uploads")
        .json(&wish)
        .send()
        .await
        .problem(413, "file_too_large");
    let session = open(&admin, json!({"destination": "l", "filename": "f"})).await;
    admin
        .put(&part(&session, 0))
        .body(pattern(1, 60_000))
        .send()
        .await
        .is(200);
    let second = admin
        .put(&part(&session, 1))
        .body(pattern(2, 60_000))
        .send()
        .await;
    second.problem(413, "file_too_large");
    // What is held still fits, and is all of the file when the client says so.
    let file = admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(file["size"], 60_000);
}
