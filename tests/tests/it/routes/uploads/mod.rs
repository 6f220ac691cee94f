//! `/uploads`: files in parts.

mod refusals;

use serde_json::{Value, json};

use crate::kit::{Api, Server, pattern, sha256, sha256_base64};

const PART: usize = 5 << 20;

async fn open(admin: &Api, wish: Value) -> Value {
    let made = admin.post("/uploads").json(&wish).send().await;
    let session = made.is(201).json();
    let own = format!("/v1/uploads/{}", id(&session));
    assert_eq!(made.header("location"), own);
    session
}

fn id(session: &Value) -> &str {
    session["session_id"].as_str().unwrap()
}

fn part(session: &Value, number: usize) -> String {
    format!("/uploads/{}/parts/{number}", id(session))
}

fn complete(session: &Value) -> String {
    format!("/uploads/{}/complete", id(session))
}

#[tokio::test]
async fn parts_are_sent_replaced_and_joined() {
    let server = Server::start().await;
    let admin = server.admin();
    let content = pattern(1, 12 << 20);
    let wish = json!({"destination": "reports", "filename": "big.bin", "size": content.len(), "part_size": PART, "overwrite": false});
    let session = open(&admin, wish).await;
    assert_eq!(session["state"], "open");
    assert_eq!(session["destination"], "/reports");
    assert_eq!(session["received"], json!([]));
    assert_eq!(session["max_parts"], 10_000);
    // A first try of part 1 with other bytes is replaced.
    admin
        .put(&part(&session, 1))
        .body(pattern(9, 1000))
        .send()
        .await
        .is(200);
    for (number, bytes) in content.chunks(PART).enumerate().rev() {
        let put = admin
            .put(&part(&session, number))
            .header("content-digest", &sha256_base64(bytes));
        let put = put.body(bytes.to_vec()).send().await.is(200).json();
        assert_eq!(
            put,
            json!({"part": number, "size": bytes.len(), "hash": sha256(bytes)})
        );
    }
    let seen = admin
        .get(&format!("/uploads/{}", id(&session)))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(seen["received"], json!([0, 1, 2]));
    assert_eq!(seen["bytes_received"], content.len());
    admin
        .get("/files/lookup?path=/reports/big.bin")
        .send()
        .await
        .is(404);
    let hash = json!({"hash": sha256(&content)});
    let file = admin
        .post(&complete(&session))
        .json(&hash)
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(file["hash"], sha256(&content));
    assert_eq!(file["path"], "/reports/big.bin");
    let again = admin
        .post(&complete(&session))
        .json(&hash)
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(again, file);
    assert_eq!(
        admin.download(file["file_id"].as_str().unwrap()).await,
        content
    );
    let path = format!("/files/{}/download", file["file_id"].as_str().unwrap());
    for first in [PART - 1, PART, 2 * PART - 3, 3 * PART / 2] {
        let range = format!("bytes={first}-{}", first + 9);
        let answer = admin.get(&path).header("range", &range).send().await;
        assert_eq!(answer.is(206).body, content[first..first + 10]);
    }
    server.check_usage().await;
}

#[tokio::test]
async fn an_empty_file_has_no_parts() {
    let server = Server::start().await;
    let admin = server.admin();
    let session = open(&admin, json!({"destination": "e", "filename": "empty"})).await;
    let file = admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(file["size"], 0);
    assert_eq!(file["hash"], sha256(b""));
    assert!(
        admin
            .download(file["file_id"].as_str().unwrap())
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn sixteen_parts_at_once_are_joined_in_order() {
    let server = Server::start().await;
    let admin = server.admin();
    let content = pattern(3, 16 * 100_000);
    let session = open(&admin, json!({"destination": "p", "filename": "f"})).await;
    let puts = content.chunks(100_000).enumerate().map(|(number, bytes)| {
        admin
            .put(&part(&session, number))
            .body(bytes.to_vec())
            .send()
    });
    for answer in futures::future::join_all(puts).await {
        answer.is(200);
    }
    let file = admin
        .post(&complete(&session))
        .json(&json!({}))
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(file["hash"], sha256(&content));
    assert_eq!(
        admin.download(file["file_id"].as_str().unwrap()).await,
        content
    );
}

#[tokio::test]
async fn parts_outlive_a_killed_server() {
    let mut server = Server::start().await;
    let content = pattern(4, 3 * 200_000);
    let session = open(
        &server.admin(),
        json!({"destination": "r", "filename": "f"}),
    )
    .await;
    for (number, bytes) in content.chunks(200_000).enumerate().take(2) {
        server
            .admin()
            .put(&part(&session, number))
            .body(bytes.to_vec())
            .send()
            .await
            .is(200);
    }
    server.kill();
    server.start_again().await;
    let admin = server.admin();
    let seen = admin
        .get(&format!("/uploads/{}", id(&session)))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(seen["received"], json!([0, 1]));
    admin
        .put(&part(&session, 2))
        .body(content[400_000..].to_vec())
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
    assert_eq!(
        admin.download(file["file_id"].as_str().unwrap()).await,
        content
    );
    server.check_usage().await;
}

#[tokio::test]
async fn a_list_tells_what_each_upload_holds() {
    let server = Server::start().await;
    let admin = server.admin();
    let empty = open(&admin, json!({"destination": "l", "filename": "empty"})).await;
    let begun = open(&admin, json!({"destination": "l", "filename": "begun"})).await;
    for number in [0, 2] {
        let put = admin.put(&part(&begun, number)).body(pattern(3, 1000));
        put.send().await.is(200);
    }
    let rows = admin.all("/uploads?limit=1").await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    for row in rows {
        let own = admin.get(&format!("/uploads/{}", id(&row))).send().await;
        assert_eq!(own.is(200).json(), row);
        let is_empty = id(&row) == id(&empty);
        let held = if is_empty { json!([]) } else { json!([0, 2]) };
        assert_eq!(row["received"], held);
        assert_eq!(row["bytes_received"], if is_empty { 0 } else { 2000 });
    }
}
