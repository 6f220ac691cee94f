//! Refusals of single operations that no story of their noun comes by.

use serde_json::{Value, json};

use crate::kit::{Api, Raw, Server};

async fn made(api: &Api, route: &str, wish: Value, kind: &str) -> String {
    let answer = api.post(route).json(&wish).send().await;
    answer.is(201).json()[kind].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn reads_keep_conditions_and_ranges() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/r/a", b"abc").await;
    let download = format!("/files/{}/download", file["file_id"].as_str().unwrap());
    let content = "/files/content?path=/r/a";
    for path in [content, &download] {
        let get = admin.get(path).header("if-match", "\"another\"");
        assert_eq!(get.send().await.status, 412);
        let head = admin.head(path).header("if-match", "\"another\"");
        assert_eq!(head.send().await.status, 412);
        let beyond = admin.get(path).header("range", "bytes=3-");
        assert_eq!(beyond.send().await.status, 416);
    }
}

#[tokio::test]
async fn names_that_are_taken_and_principals_with_keys_are_409() {
    let server = Server::start().await;
    let admin = server.admin();
    for (route, kind) in [
        ("/users", "user_id"),
        ("/service-accounts", "service_account_id"),
    ] {
        made(&admin, route, json!({"name": "first"}), kind).await;
        let second = made(&admin, route, json!({"name": "second"}), kind).await;
        let rename = admin.patch(&format!("{route}/{second}"));
        let rename = rename.json(&json!({"name": "first"})).send().await;
        rename.problem(409, "name_taken");
        let key = json!({"name": "k", "principal_id": second, "scopes": ["files:read"]});
        made(&admin, "/api-keys", key, "key_id").await;
        let delete = admin.delete(&format!("{route}/{second}")).send().await;
        delete.problem(409, "in_use");
    }
}

#[tokio::test]
async fn what_has_ended_is_not_steered() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/r/a", b"abc").await;
    super::transfers::add_near(&server).await;
    let ended = admin.transfer("/r/a", "near:/a").await;
    let id = ended["transfer_id"].as_str().unwrap();
    for verb in ["pause", "resume"] {
        let post = admin.post(&format!("/transfers/{id}/{verb}"));
        post.send().await.problem(409, "state_conflict");
    }
    let wish =
        json!({"source": "/r/a", "destination": "near:/b", "start_at": "2999-01-01T00:00:00Z"});
    let waiting = admin.post("/transfers").json(&wish).send().await;
    let waiting = waiting.is(202).json();
    let id = waiting["transfer_id"].as_str().unwrap();
    let retry = admin.post(&format!("/transfers/{id}/retry"));
    retry.send().await.problem(409, "state_conflict");
    let wish = json!({"destination": "r", "filename": "p"});
    let upload = made(&admin, "/uploads", wish, "session_id").await;
    let abort = || admin.delete(&format!("/uploads/{upload}")).send();
    abort().await.is(204);
    abort().await.problem(409, "state_conflict");
}

#[tokio::test]
async fn what_stands_in_the_way_is_409() {
    let server = Server::start().await;
    let admin = server.admin();
    let old = admin.upload("/r/a", b"old").await;
    let old = old["file_id"].as_str().unwrap();
    admin.delete(&format!("/files/{old}")).send().await.is(204);
    admin.upload("/r/a", b"new").await;
    let restore = admin.post(&format!("/files/{old}/restore"));
    restore.send().await.problem(409, "file_exists");
    let folder = admin.post("/folders").json(&json!({"path": "/r/a"}));
    assert_eq!(folder.send().await.status, 409);
    admin.upload("/r/folder/a", b"a").await;
    let put = admin.put("/files/content?path=/r/folder").body("b");
    assert_eq!(put.send().await.status, 409);
}

#[tokio::test]
async fn a_part_beyond_the_largest_is_413() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"destination": "r", "filename": "p"});
    let session = made(&admin, "/uploads", wish, "session_id").await;
    let path = format!("/v1/uploads/{session}/parts/0");
    // Refused by what is declared: nothing of it need be sent.
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Length: 1073741825\r\nConnection: close\r\n\r\n",
        admin.key()
    );
    let mut line = Raw::connect(&server).await;
    line.send(head.as_bytes()).await;
    let refusal = line.refusal("PUT", &path).await;
    assert_eq!(refusal, (413, "part_too_large".to_owned()));
}

#[tokio::test]
async fn content_that_contradicts_its_type_is_422_where_asked_for() {
    let server = Server::start().await;
    let admin = server.admin();
    let settings = json!({"refuse_type_mismatch": true});
    let changed = admin.patch("/settings").json(&settings).send().await;
    changed.is(200);
    let put = admin.put("/files/content?path=/r/a.pdf");
    let put = put.header("content-type", "application/pdf");
    let put = put.body(&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..]).send().await;
    put.problem(422, "content_type_mismatch");
}
