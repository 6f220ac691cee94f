//! `delete_source` and `preserve_time`: what becomes of the source, and of its time.

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{add_far, add_near, completed, failed, names};
use crate::kit::{Api, Server, Sshd};

async fn ended(api: &Api, wish: Value) -> Value {
    let made = api.post("/transfers").json(&wish).send().await;
    let id = made.is(202).json()["transfer_id"].clone();
    api.end_of_transfer(id.as_str().unwrap()).await
}

async fn whole(api: &Api, status: &Value) -> Value {
    let id = status["transfer_id"].as_str().unwrap();
    let path = format!("/transfers/{id}");
    api.get(&path).send().await.is(200).json()
}

#[tokio::test]
async fn a_source_goes_once_its_copy_is_there() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let file = admin.upload("/out/a.csv", b"a;b").await;
    let wish = json!({"source": "/out/a.csv", "destination": "near:/a.csv", "delete_source": true});
    let status = ended(&admin, wish).await;
    completed(&status);
    assert_eq!(whole(&admin, &status).await["source_removed"], true);
    assert_eq!(fs::read(server.exchange().join("a.csv")).unwrap(), b"a;b");
    let lookup = admin.get("/files/lookup?path=/out/a.csv").send().await;
    lookup.problem(404, "not_found");
    let trash = admin.all("/files?state=deleted").await;
    assert_eq!(trash[0]["file_id"], file["file_id"]);
    let id = status["transfer_id"].as_str().unwrap();
    let filter = format!("transfer_id={id}&operation=files.delete");
    assert_eq!(admin.records(&filter).await.len(), 1);

    let wish = json!({"source": "near:/a.csv", "destination": "/in/a.csv", "delete_source": true});
    let status = ended(&admin, wish).await;
    completed(&status);
    assert!(names(&server.exchange()).is_empty());
    let id = status["transfer_id"].as_str().unwrap();
    let filter = format!("transfer_id={id}&operation=transfers.remove_source");
    let record = admin.records(&filter).await.remove(0);
    assert_eq!(record["status"], "success", "{record}");
    let files = admin.all(&format!("/transfers/{id}/files")).await;
    assert_eq!(files[0]["source_removed"], true);
    assert_eq!(files[0]["placed_at"], "/in/a.csv");

    // Within Bailee it is a move that keeps the old version in the trash.
    let wish = json!({"source": "/in/a.csv", "destination": "/kept/a.csv", "delete_source": true});
    completed(&ended(&admin, wish).await);
    admin
        .get("/files/lookup?path=/in/a.csv")
        .send()
        .await
        .is(404);
    admin
        .get("/files/lookup?path=/kept/a.csv")
        .send()
        .await
        .is(200);
}

#[tokio::test]
async fn what_was_not_moved_stays() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let exchange = server.exchange();
    fs::write(exchange.join("a"), b"new").unwrap();
    admin.upload("/in/a", b"old").await;
    let wish = json!({"source": "near:/a", "destination": "/in/a", "delete_source": true, "on_conflict": "skip"});
    let status = ended(&admin, wish).await;
    assert_eq!(status["state"], "completed", "{status}");
    let transfer = whole(&admin, &status).await;
    assert_eq!(transfer["source_removed"], false);
    assert_eq!(transfer["notes"].as_array().unwrap().len(), 1, "{transfer}");
    assert_eq!(names(&exchange), ["a"]);
    // The same content by its hash is proof enough.
    fs::write(exchange.join("a"), b"old").unwrap();
    let wish =
        json!({"source": "near:/a", "destination": "/in/a", "delete_source": true, "sync": "hash"});
    let status = ended(&admin, wish).await;
    assert_eq!(status["files_skipped"], 1, "{status}");
    assert_eq!(whole(&admin, &status).await["source_removed"], true);
    assert!(names(&exchange).is_empty());
    // By its size it is not.
    fs::write(exchange.join("a"), b"two").unwrap();
    let wish =
        json!({"source": "near:/a", "destination": "/in/a", "delete_source": true, "sync": "size"});
    let status = ended(&admin, wish).await;
    assert_eq!(whole(&admin, &status).await["source_removed"], false);
    assert_eq!(names(&exchange), ["a"]);
}

#[tokio::test]
async fn removing_takes_the_right_to_delete() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    fs::write(server.exchange().join("a"), b"a").unwrap();
    admin.upload("/a", b"a").await;
    let key = admin
        .scoped(&[
            "files:read",
            "files:write",
            "transfers:read",
            "transfers:write",
        ])
        .await;
    for (source, destination) in [
        ("near:/a", "/in/a"),
        ("near:/", "/in/"),
        ("/a", "near:/b"),
        ("/", "near:/in/"),
    ] {
        let wish = json!({"source": source, "destination": destination, "delete_source": true});
        let refused = key.post("/transfers").json(&wish).send().await;
        refused.problem(403, "insufficient_scope");
    }
    let wish =
        json!({"source": "/a", "destination": "near:/b", "delete_source": true, "verify": "none"});
    let refused = admin.post("/transfers").json(&wish).send().await;
    let problem = refused.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/verify");
    let wish = json!({"name": "web", "kind": "https", "url": "https://files.example.com/"});
    admin.post("/remotes").json(&wish).send().await.is(201);
    let wish = json!({"source": "web:/a", "destination": "/in/a", "delete_source": true});
    let refused = admin.post("/transfers").json(&wish).send().await;
    let problem = refused.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/delete_source");
    assert_eq!(names(&server.exchange()), ["a"]);
}

#[tokio::test]
async fn a_source_that_may_not_be_removed_ends_as_partial() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("-P remove");
    add_far(&admin, &sshd, &sshd.host_key()).await;
    let folder = sshd.files().join("out");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a"), b"a").unwrap();
    let wish = json!({"source": "far:/out/a", "destination": "/in/a", "delete_source": true});
    let status = ended(&admin, wish).await;
    failed(&status, "partial", "remote_permission_denied");
    let message = status["error_message"].as_str().unwrap();
    assert!(message.starts_with("The file arrived"), "{status}");
    admin.get("/files/lookup?path=/in/a").send().await.is(200);
    assert_eq!(names(&folder), ["a"]);
}

#[tokio::test]
async fn a_killed_server_removes_what_arrived_and_nothing_else() {
    const FILES: usize = 600;
    let mut server = Server::start().await;
    add_near(&server).await;
    let out = server.exchange().join("out");
    fs::create_dir_all(&out).unwrap();
    for number in 0..FILES {
        fs::write(out.join(number.to_string()), number.to_string()).unwrap();
    }
    let wish = json!({"source": "near:/out/", "destination": "/in/", "delete_source": true});
    let made = server.admin().post("/transfers").json(&wish).send().await;
    let id = made.is(202).json()["transfer_id"].clone();
    let id = id.as_str().unwrap();
    for left in [550, 300, 100] {
        while names(&out).len() > left {
            tokio::task::yield_now().await;
        }
        server.kill();
        // Whatever is gone from the source is in Bailee by now.
        let gone: Vec<usize> = (0..FILES)
            .filter(|number| !out.join(number.to_string()).exists())
            .collect();
        server.start_again().await;
        for number in gone {
            let path = format!("/files/content?path=/in/{number}");
            let answer = server.admin().get(&path).send().await;
            assert_eq!(answer.is(200).body, number.to_string().as_bytes());
        }
    }
    let admin = server.admin();
    let status = admin.end_of_transfer(id).await;
    completed(&status);
    assert_eq!(status["files_done"], FILES);
    assert!(names(&out).is_empty());
    assert_eq!(
        admin.all("/files?path_prefix=/in&limit=500").await.len(),
        FILES
    );
    server.check_usage().await;
}

#[tokio::test]
async fn a_copy_gets_the_time_of_its_source_where_it_can() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    add_far(&admin, &sshd, &sshd.host_key()).await;
    add_near(&server).await;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let source = server.exchange().join("a");
    fs::write(&source, b"a").unwrap();
    let file = fs::File::options().write(true).open(&source).unwrap();
    file.set_modified(time).unwrap();
    let wish = |destination: &str| json!({"source": "near:/a", "destination": destination, "preserve_time": true});
    for destination in ["far:/a", "near:/b"] {
        let status = ended(&admin, wish(destination)).await;
        completed(&status);
        assert_eq!(whole(&admin, &status).await["notes"], json!([]));
    }
    for copy in [sshd.files().join("a"), server.exchange().join("b")] {
        assert_eq!(fs::metadata(copy).unwrap().modified().unwrap(), time);
    }
    let status = ended(&admin, wish("/in/a")).await;
    let transfer = whole(&admin, &status).await;
    assert_eq!(transfer["notes"].as_array().unwrap().len(), 1, "{transfer}");
    assert_eq!(transfer["preserve_time"], true);
}
