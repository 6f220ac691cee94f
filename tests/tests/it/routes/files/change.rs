//! Changing, copying, deleting, restoring and checking files.

use serde_json::json;

use crate::kit::{Server, pattern};

#[tokio::test]
async fn a_patch_merges_and_the_bytes_stay() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/x/a.txt", b"a").await;
    let own = format!("/files/{}", file["file_id"].as_str().unwrap());
    let patch = |body| admin.patch(&own).json(&body).send();
    let changed = patch(
        json!({"tags": ["t"], "metadata": {"k": "v", "l": "w"}, "classification": "internal"}),
    )
    .await;
    assert_eq!(changed.is(200).json()["tags"], json!(["t"]));
    let changed = patch(json!({"metadata": {"k": null, "m": "x"}}))
        .await
        .is(200)
        .json();
    assert_eq!(changed["metadata"], json!({"l": "w", "m": "x"}));
    assert_eq!(changed["classification"], "internal");
    let changed = patch(json!({"classification": null, "path": "/y/z/b.txt"}))
        .await
        .is(200)
        .json();
    assert_eq!(changed["classification"], json!(null));
    assert_eq!(changed["path"], "/y/z/b.txt");
    let changed = patch(json!({"name": "c.txt"})).await.is(200).json();
    assert_eq!(changed["path"], "/y/z/c.txt");
    assert_eq!(changed["file_id"], file["file_id"]);
    assert_eq!(changed["hash"], file["hash"]);
    admin.upload("/y/z/taken.txt", b"t").await;
    patch(json!({"name": "taken.txt"}))
        .await
        .problem(409, "file_exists");
    patch(json!({"size": 7}))
        .await
        .problem(422, "unknown_field");
    patch(json!({"classification": "secret"}))
        .await
        .problem(422, "validation_failed");
    assert_eq!(
        &admin.download(file["file_id"].as_str().unwrap()).await[..],
        b"a"
    );
}

#[tokio::test]
async fn a_copy_is_a_file_of_its_own() {
    let server = Server::start().await;
    let admin = server.admin();
    for (name, content) in [("small", pattern(1, 10)), ("large", pattern(2, 500_000))] {
        let file = admin.upload(&format!("/from/{name}"), &content).await;
        let own = format!("/files/{}", file["file_id"].as_str().unwrap());
        let wish = json!({"path": format!("/to/{name}")});
        let copy = admin
            .post(&format!("{own}/copy"))
            .json(&wish)
            .send()
            .await
            .is(201)
            .json();
        assert_ne!(copy["file_id"], file["file_id"]);
        admin
            .post(&format!("{own}/copy"))
            .json(&wish)
            .send()
            .await
            .problem(409, "file_exists");
        admin
            .delete(&format!("{own}?purge=true"))
            .send()
            .await
            .is(204);
        assert_eq!(
            admin.download(copy["file_id"].as_str().unwrap()).await,
            content
        );
    }
    server.check_usage().await;
}

#[tokio::test]
async fn a_deleted_file_is_gone_and_can_come_back() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/t/a.txt", b"bytes").await;
    let own = format!("/files/{}", file["file_id"].as_str().unwrap());
    admin.delete(&own).send().await.is(204);
    admin.get(&format!("{own}/download")).send().await.is(404);
    admin
        .get("/files/lookup?path=/t/a.txt")
        .send()
        .await
        .is(404);
    let restored = admin
        .post(&format!("{own}/restore"))
        .json(&json!({}))
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(restored["path"], "/t/a.txt");
    assert_ne!(restored["file_id"], file["file_id"]);
    assert_eq!(
        &admin.download(restored["file_id"].as_str().unwrap()).await[..],
        b"bytes"
    );
    server.check_usage().await;
}

#[tokio::test]
async fn a_purged_file_cannot_come_back() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/t/a.txt", b"bytes").await;
    let own = format!("/files/{}", file["file_id"].as_str().unwrap());
    admin
        .delete(&format!("{own}?purge=true"))
        .send()
        .await
        .is(204);
    admin.get(&own).send().await.is(404);
    admin
        .post(&format!("{own}/restore"))
        .json(&json!({}))
        .send()
        .await
        .is(404);
    assert!(admin.all("/files?limit=50&state=deleted").await.is_empty());
    server.check_usage().await;
}

#[tokio::test]
async fn stored_bytes_are_checked_on_request() {
    let server = Server::start().await;
    let admin = server.admin();
    for size in [0, 100, 300_000] {
        let file = admin.upload(&format!("/v/{size}"), &pattern(5, size)).await;
        let path = format!("/files/{}/verify", file["file_id"].as_str().unwrap());
        let report = admin.post(&path).send().await.is(200).json();
        assert_eq!(report["ok"], true, "{report}");
        assert_eq!(report["hash"], file["hash"]);
        assert_eq!(report["expected_hash"], file["hash"]);
        assert_eq!(report["size"], size);
    }
}

#[tokio::test]
async fn tenants_that_require_if_match_get_428() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/x/a.txt", b"a").await;
    admin
        .patch("/settings")
        .json(&json!({"require_if_match": true}))
        .send()
        .await
        .is(200);
    let own = format!("/files/{}", file["file_id"].as_str().unwrap());
    let bare = admin.patch(&own).json(&json!({"tags": ["x"]})).send().await;
    bare.problem(428, "precondition_required");
    let etag = admin
        .get(&own)
        .send()
        .await
        .is(200)
        .header("etag")
        .to_owned();
    let guarded = admin
        .patch(&own)
        .header("if-match", &etag)
        .json(&json!({"tags": ["x"]}));
    guarded.send().await.is(200);
}

#[tokio::test]
async fn a_version_can_come_back_elsewhere() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/t/a.txt", b"bytes").await;
    let own = format!("/files/{}", file["file_id"].as_str().unwrap());
    let restore =
        |wish: serde_json::Value| admin.post(&format!("{own}/restore")).json(&wish).send();
    restore(json!({})).await.problem(409, "state_conflict");
    let there = restore(json!({"path": "/u/b.txt"})).await.is(201).json();
    assert_eq!(there["path"], "/u/b.txt");
    let taken = restore(json!({"path": "/u/b.txt"})).await;
    taken.problem(409, "file_exists");
    let over = json!({"path": "/u/b.txt", "overwrite": true});
    let there = restore(over).await.is(201).json();
    assert_eq!(there["version"], 2);
    server.check_usage().await;
}
