//! `GET /files`: filters, pages, cursors.

use serde_json::{Value, json};

use crate::kit::{Form, Server};

fn paths(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["path"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_hold_every_file_once_newest_first() {
    let server = Server::start().await;
    let admin = server.admin();
    let mut expected = Vec::new();
    for number in 0..23 {
        let path = format!("/p/{number:02}.txt");
        admin.upload(&path, path.as_bytes()).await;
        expected.insert(0, path);
    }
    for limit in [1, 7, 23, 500] {
        let rows = admin.all(&format!("/files?limit={limit}")).await;
        assert_eq!(paths(&rows), expected, "with limit {limit}");
    }
    let page = admin.get("/files?limit=7").send().await;
    let body = page.is(200).json();
    assert_eq!(body["has_more"], true);
    let link = page.header("link");
    assert!(
        link.contains("rel=\"next\"") && link.contains("/v1/files?"),
        "{link}"
    );
}

#[tokio::test]
async fn filters_select() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/a/one.csv", b"1").await;
    admin.upload("/a/b/two.csv", b"2").await;
    let tagged = Form::new()
        .text("destination", "ab")
        .text("tags", "red, blue")
        .file("three.txt", b"3");
    let tagged = tagged.upload(&admin).await.is(201).json();
    let gone = admin.upload("/a/gone.csv", b"4").await;
    admin
        .delete(&format!("/files/{}", gone["file_id"].as_str().unwrap()))
        .send()
        .await
        .is(204);
    let created_at = tagged["created_at"].as_str().unwrap();
    let expected = [
        ("path_prefix=/a", vec!["/a/b/two.csv", "/a/one.csv"]),
        ("tag=blue", vec!["/ab/three.txt"]),
        ("q=w", vec!["/a/b/two.csv"]),
        ("state=deleted", vec!["/a/gone.csv"]),
        ("created_after=2999-01-01T00:00:00Z", vec![]),
        (
            &format!("created_before={created_at}"),
            vec!["/a/b/two.csv", "/a/one.csv"],
        ),
    ];
    for (filter, paths_expected) in expected {
        let rows = admin.all(&format!("/files?limit=50&{filter}")).await;
        assert_eq!(paths(&rows), paths_expected, "{filter}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    let server = Server::start().await;
    let admin = server.admin();
    for number in 0..4 {
        admin.upload(&format!("/c/{number}"), b"x").await;
    }
    let page = admin
        .get("/files?limit=2&path_prefix=/c")
        .send()
        .await
        .is(200)
        .json();
    let cursor = page["next_cursor"].as_str().unwrap();
    admin
        .get(&format!("/files?limit=2&path_prefix=/c&cursor={cursor}"))
        .send()
        .await
        .is(200);
    let other = server.tenant("bolt").await;
    let mut altered = cursor.to_owned();
    let first = altered.remove(0);
    altered.insert(0, if first == 'A' { 'B' } else { 'A' });
    let refused = [
        admin.get(&format!("/files?limit=2&cursor={cursor}")),
        admin.get(&format!("/files?limit=2&path_prefix=/d&cursor={cursor}")),
        admin.get(&format!("/audit?limit=2&cursor={cursor}")),
        admin.get("/files?cursor=nonsense"),
        admin.get(&format!("/files?limit=2&path_prefix=/c&cursor={altered}")),
        other.get(&format!("/files?limit=2&path_prefix=/c&cursor={cursor}")),
    ];
    for call in refused {
        call.send().await.problem(400, "invalid_cursor");
    }
}

#[tokio::test]
async fn a_key_of_one_folder_sees_that_folder_only() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/mine/a.txt", b"a").await;
    let hidden = admin.upload("/other/b.txt", b"b").await;
    let wish = json!({"name": "narrow", "scopes": ["files:read", "files:write", "files:delete"], "path_prefixes": ["/mine"]});
    let narrow = admin.with_key(admin.new_key(wish).await["api_key"].as_str().unwrap());
    let rows = narrow.all("/files?limit=50").await;
    assert_eq!(paths(&rows), ["/mine/a.txt"]);
    let id = hidden["file_id"].as_str().unwrap();
    for call in [
        narrow.get(&format!("/files/{id}")),
        narrow.get(&format!("/files/{id}/download")),
        narrow.delete(&format!("/files/{id}")),
        narrow.get("/files/lookup?path=/other/b.txt"),
        narrow.get("/files/content?path=/other/b.txt"),
    ] {
        let answer = call.send().await;
        assert!([403, 404].contains(&answer.status), "{}", answer.status);
    }
    let put = narrow
        .put("/files/content?path=/other/c.txt")
        .body("c")
        .send()
        .await;
    assert!([403, 404].contains(&put.status), "{}", put.status);
    // A prefix is a folder, not the beginning of a name.
    let put = narrow
        .put("/files/content?path=/mineral/c.txt")
        .body("c")
        .send()
        .await;
    assert!([403, 404].contains(&put.status), "{}", put.status);
}
