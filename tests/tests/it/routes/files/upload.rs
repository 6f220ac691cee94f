//! `POST /files/upload`.

use crate::kit::{Form, Options, Raw, Server, pattern, sha256};

#[tokio::test]
async fn fields_stand_before_or_after_the_file() {
    let server = Server::start().await;
    let admin = server.admin();
    let content = b"name;amount\nann;1\nbob;2\n";
    let forms = [
        Form::new()
            .text("destination", "reports")
            .text("overwrite", "false")
            .file("a.csv", content),
        Form::new()
            .file("b.csv", content)
            .text("overwrite", "False")
            .text("destination", "/reports/"),
    ];
    for (form, name) in forms.into_iter().zip(["a.csv", "b.csv"]) {
        let answer = form.upload(&admin).await;
        let file = answer.is(201).json();
        assert_eq!(file["path"], format!("/reports/{name}"));
        assert_eq!(file["name"], name);
        assert_eq!(file["folder"], "/reports");
        assert_eq!(file["size"], content.len());
        assert_eq!(file["hash"], sha256(content));
        assert_eq!(file["hash_algorithm"], "sha256");
        assert_eq!(file["content_type"], "text/csv");
        assert_eq!(file["version"], 1);
        assert_eq!(file["is_current"], true);
        assert_eq!(file["state"], "available");
        let own = file["links"]["self"].as_str().unwrap();
        assert_eq!(answer.header("location"), own);
        assert_eq!(
            own,
            format!("/v1/files/{}", file["file_id"].as_str().unwrap())
        );
        assert_eq!(
            &admin.download(file["file_id"].as_str().unwrap()).await[..],
            content
        );
    }
}

#[tokio::test]
async fn sizes_around_every_border_come_back_equal() {
    let server = Server::start().await;
    let admin = server.admin();
    let borders = [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_003, 5 << 20];
    for (at, size) in borders.into_iter().enumerate() {
        let content = pattern(at as u64, size);
        let file = admin.upload(&format!("/border/{size}"), &content).await;
        assert_eq!(file["size"], size);
        assert_eq!(file["hash"], sha256(&content));
        assert_eq!(
            admin.download(file["file_id"].as_str().unwrap()).await,
            content
        );
    }
    server.check_usage().await;
}

#[tokio::test]
async fn a_taken_path_is_409_unless_overwriting_is_asked_for() {
    let server = Server::start().await;
    let admin = server.admin();
    let first = admin.upload("/r/a.txt", b"one").await;
    let again = Form::new()
        .text("destination", "r")
        .file("a.txt", b"two")
        .upload(&admin)
        .await;
    again.problem(409, "file_exists");
    let over = Form::new()
        .text("overwrite", "TRUE")
        .text("destination", "r")
        .file("a.txt", b"two");
    let second = over.upload(&admin).await.is(201).json();
    assert_eq!(second["version"], 2);
    assert_ne!(second["file_id"], first["file_id"]);
    assert_eq!(
        &admin.download(first["file_id"].as_str().unwrap()).await[..],
        b"one"
    );
    assert_eq!(
        &admin.download(second["file_id"].as_str().unwrap()).await[..],
        b"two"
    );
    let path = format!("/files/{}", first["file_id"].as_str().unwrap());
    assert_eq!(
        admin.get(&path).send().await.is(200).json()["is_current"],
        false
    );
    let path = format!("{path}/versions");
    let versions = admin.get(&path).send().await.is(200).json();
    assert_eq!(versions["data"].as_array().unwrap().len(), 2);
    server.check_usage().await;
}

#[tokio::test]
async fn a_wrong_hash_leaves_nothing() {
    let server = Server::start().await;
    let admin = server.admin();
    for content in [b"small".to_vec(), pattern(1, 300_000)] {
        let form = Form::new()
            .text("destination", "h")
            .text("hash", &sha256(b"other"))
            .file("a", &content);
        form.upload(&admin).await.problem(422, "digest_mismatch");
        let good = Form::new()
            .text("destination", "h")
            .file("a", &content)
            .text("hash", &sha256(&content));
        let file = good
            .text("overwrite", "true")
            .upload(&admin)
            .await
            .is(201)
            .json();
        assert_eq!(file["hash"], sha256(&content));
    }
    let listed = admin.all("/files?limit=50").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    server.check_usage().await;
}

#[tokio::test]
async fn unknown_repeated_and_missing_fields_are_422() {
    let server = Server::start().await;
    let admin = server.admin();
    let base = || Form::new().text("destination", "f");
    base()
        .text("overwite", "true")
        .file("a", b"x")
        .upload(&admin)
        .await
        .problem(422, "unknown_field");
    base()
        .upload(&admin)
        .await
        .problem(422, "validation_failed");
    base()
        .file("a", b"x")
        .file("b", b"y")
        .upload(&admin)
        .await
        .problem(422, "validation_failed");
    Form::new()
        .file("a", b"x")
        .upload(&admin)
        .await
        .problem(422, "validation_failed");
    base()
        .text("overwrite", "perhaps")
        .file("a", b"x")
        .upload(&admin)
        .await
        .problem(422, "validation_failed");
    assert!(admin.all("/files?limit=50").await.is_empty());
}

#[tokio::test]
async fn a_cut_body_leaves_nothing_and_is_no_success() {
    let server = Server::start().await;
    let admin = server.admin();
    let body = Form::new()
        .text("destination", "cut")
        .file("a.bin", &pattern(3, 400_000))
        .body();
    let head = format!(
        "POST /v1/files/upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: {}\r\nContent-Length: {}\r\n\r\n",
        admin.key(),
        Form::content_type(),
        body.len()
    );
    for share in [0, 1, body.len() / 2, body.len() - 1] {
        let mut raw = Raw::connect(&server).await;
        raw.send(head.as_bytes()).await;
        raw.send(&body[..share]).await;
        let answer = raw.cut_and_rest().await;
        assert!(!answer.contains(" 201 "), "after {share} bytes: {answer}");
    }
    admin
        .get("/files/lookup?path=/cut/a.bin")
        .send()
        .await
        .is(404);
    assert!(admin.all("/files?limit=50").await.is_empty());
    server.check_usage().await;
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_413() {
    let server = Options::new()
        .set("uploads.max_file_bytes", 100_000)
        .start()
        .await;
    let admin = server.admin();
    admin.upload("/fits", &pattern(1, 100_000)).await;
    let form = Form::new()
        .text("destination", "/")
        .file("large", &pattern(2, 100_001));
    form.upload(&admin).await.problem(413, "file_too_large");
    let put = admin
        .put("/files/content?path=/large")
        .body(pattern(2, 100_001))
        .send()
        .await;
    put.problem(413, "file_too_large");
    admin.get("/files/lookup?path=/large").send().await.is(404);
}
