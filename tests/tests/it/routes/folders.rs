//! `/folders`.

use serde_json::json;

use crate::kit::Server;

#[tokio::test]
async fn a_folder_is_made_with_its_parents_once() {
    let server = Server::start().await;
    let admin = server.admin();
    let made = admin
        .post("/folders")
        .json(&json!({"path": "a/b/c"}))
        .send()
        .await;
    let folder = made.is(201).json();
    assert_eq!(folder["path"], "/a/b/c");
    assert_eq!(folder["name"], "c");
    assert_eq!(folder["parent"], "/a/b");
    assert!(made.header("location").starts_with("/v1/folders?path="));
    admin
        .post("/folders")
        .json(&json!({"path": "/a/b/c/"}))
        .send()
        .await
        .is(200);
    for path in ["/", "/a", "/a/b", "/a/b/c"] {
        let found = admin
            .get(&format!("/folders?path={path}"))
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(found["path"], path);
    }
    admin
        .get("/folders?path=/nowhere")
        .send()
        .await
        .problem(404, "folder_not_found");
}

#[tokio::test]
async fn children_are_folders_then_files_by_name() {
    let server = Server::start().await;
    let admin = server.admin();
    for name in ["b.txt", "a.txt", "ä.txt"] {
        admin.upload(&format!("/in/{name}"), name.as_bytes()).await;
    }
    admin.upload("/in/deep/er/x.txt", b"x").await;
    admin
        .post("/folders")
        .json(&json!({"path": "/in/empty"}))
        .send()
        .await
        .is(201);
    let names = |rows: &[serde_json::Value]| -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        rows.iter()
            .map(|row| (text(&row["type"]), text(&row["name"])))
            .collect()
    };
    let expected: Vec<(String, String)> = [
        ("folder", "deep"),
        ("folder", "empty"),
        ("file", "a.txt"),
        ("file", "b.txt"),
        ("file", "ä.txt"),
    ]
    .map(|(kind, name)| (kind.to_owned(), name.to_owned()))
    .into();
    for limit in [1, 2, 50] {
        let rows = admin
            .all(&format!("/folders/children?path=/in&limit={limit}"))
            .await;
        assert_eq!(names(&rows), expected, "with limit {limit}");
    }
}

#[tokio::test]
async fn a_renamed_folder_takes_everything_along() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/old/sub/a.txt", b"a").await;
    let moved = admin
        .patch("/folders?path=/old")
        .json(&json!({"path": "/new/place"}))
        .send()
        .await;
    assert_eq!(moved.is(200).json()["path"], "/new/place");
    let id = file["file_id"].as_str().unwrap();
    let found = admin
        .get("/files/lookup?path=/new/place/sub/a.txt")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(found["file_id"], id);
    assert_eq!(&admin.download(id).await[..], b"a");
    admin
        .get("/files/lookup?path=/old/sub/a.txt")
        .send()
        .await
        .is(404);
    admin
        .get("/folders?path=/old")
        .send()
        .await
        .problem(404, "folder_not_found");
}

#[tokio::test]
async fn a_folder_cannot_move_into_itself_or_onto_another() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/a/x.txt", b"x").await;
    admin.upload("/b/y.txt", b"y").await;
    let into_itself = admin
        .patch("/folders?path=/a")
        .json(&json!({"path": "/a/b"}))
        .send()
        .await;
    assert!(
        [409, 422].contains(&into_itself.status),
        "{}",
        into_itself.status
    );
    let onto = admin
        .patch("/folders?path=/a")
        .json(&json!({"path": "/b"}))
        .send()
        .await;
    assert_eq!(onto.status, 409);
    admin
        .get("/files/lookup?path=/a/x.txt")
        .send()
        .await
        .is(200);
}

#[tokio::test]
async fn a_full_folder_goes_only_when_told_so() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/full/sub/a.txt", b"a").await;
    admin
        .delete("/folders?path=/full")
        .send()
        .await
        .problem(409, "folder_not_empty");
    admin
        .delete("/folders?path=/full&recursive=true")
        .send()
        .await
        .is(204);
    admin
        .get("/files/lookup?path=/full/sub/a.txt")
        .send()
        .await
        .is(404);
    admin.get("/folders?path=/full").send().await.is(404);
    let listed = admin.all("/files?limit=50").await;
    assert!(listed.is_empty(), "{listed:?}");
    server.check_usage().await;
}
