//! `/files/content`: bytes at a path.

use crate::kit::{Server, pattern, sha256, sha256_base64};

#[tokio::test]
async fn a_first_write_is_201_and_the_next_200() {
    let server = Server::start().await;
    let admin = server.admin();
    let first = admin
        .put("/files/content?path=/c/a.bin")
        .body(pattern(1, 70_000))
        .send()
        .await;
    assert_eq!(first.is(201).json()["version"], 1);
    let second = admin
        .put("/files/content?path=/c/a.bin")
        .body("two")
        .send()
        .await;
    let file = second.is(200).json();
    assert_eq!(file["version"], 2);
    assert_eq!(second.header("etag"), format!("\"{}\"", sha256(b"two")));
    let read = admin.get("/files/content?path=/c/a.bin").send().await;
    assert_eq!(&read.is(200).body[..], b"two");
    admin
        .delete("/files/content?path=/c/a.bin")
        .send()
        .await
        .is(204);
    admin
        .get("/files/content?path=/c/a.bin")
        .send()
        .await
        .is(404);
    // Older versions do not surface by themselves.
    admin
        .get("/files/lookup?path=/c/a.bin")
        .send()
        .await
        .is(404);
}

#[tokio::test]
async fn conditions_guard_a_write() {
    let server = Server::start().await;
    let admin = server.admin();
    let put = |body: &'static str| admin.put("/files/content?path=/g.txt").body(body);
    let first = put("one").header("if-none-match", "*").send().await;
    first.is(201);
    put("two")
        .header("if-none-match", "*")
        .send()
        .await
        .problem(412, "etag_mismatch");
    put("two")
        .header("if-match", "\"0000\"")
        .send()
        .await
        .problem(412, "etag_mismatch");
    put("two")
        .header("if-match", first.header("etag"))
        .send()
        .await
        .is(200);
    put("three")
        .header("if-match", first.header("etag"))
        .send()
        .await
        .problem(412, "etag_mismatch");
    let delete = admin
        .delete("/files/content?path=/g.txt")
        .header("if-match", first.header("etag"));
    delete.send().await.problem(412, "etag_mismatch");
    let read = admin.get("/files/content?path=/g.txt").send().await;
    assert_eq!(&read.is(200).body[..], b"two");
}

#[tokio::test]
async fn a_declared_digest_is_checked_before_anything_is_visible() {
    let server = Server::start().await;
    let admin = server.admin();
    for header in ["repr-digest", "content-digest"] {
        for content in [b"small".to_vec(), pattern(9, 200_000)] {
            let path = format!("/files/content?path=/d/{header}-{}", content.len());
            let wrong = admin
                .put(&path)
                .header(header, &sha256_base64(b"x"))
                .body(content.clone());
            wrong.send().await.problem(422, "digest_mismatch");
            admin.get(&path).send().await.is(404);
            let right = admin
                .put(&path)
                .header(header, &sha256_base64(&content))
                .body(content.clone());
            right.send().await.is(201);
        }
    }
}

#[tokio::test]
async fn stored_bytes_are_found_by_path_after_a_restart() {
    let mut server = Server::start().await;
    let content = pattern(4, 3 << 20);
    server
        .admin()
        .put("/files/content?path=/kept.bin")
        .body(content.clone())
        .send()
        .await
        .is(201);
    server.stop();
    server.start_again().await;
    let read = server
        .admin()
        .get("/files/content?path=/kept.bin")
        .send()
        .await;
    assert_eq!(read.is(200).body, content);
}
