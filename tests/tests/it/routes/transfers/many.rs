//! Transfers of many files.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{add_near, completed};
use crate::kit::{Api, Server, sha256};

async fn submit(admin: &Api, wish: &Value) -> String {
    let made = admin.post("/transfers").json(wish).send().await;
    made.is(202);
    let id = made.json()["transfer_id"].clone();
    id.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_folder_goes_out_and_each_file_is_told() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    for path in ["/out/a.csv", "/out/b.txt", "/out/sub/c.csv"] {
        admin.upload(path, path.as_bytes()).await;
    }
    let wish = json!({"source": "/out/", "destination": "near:/in/", "include": ["*.csv"]});
    let id = submit(&admin, &wish).await;
    let status = admin.end_of_transfer(&id).await;
    completed(&status);
    assert_eq!(
        (&status["files_total"], &status["files_done"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        fs::read(server.exchange().join("in/sub/c.csv")).unwrap(),
        b"/out/sub/c.csv"
    );
    let mut files = admin.all(&format!("/transfers/{id}/files?limit=1")).await;
    // Files that were found in the same millisecond come in any order.
    files.sort_by_key(|file| file["source"].as_str().unwrap().to_owned());
    let sources: Vec<_> = files.iter().map(|file| &file["source"]).collect();
    assert_eq!(sources, ["/out/a.csv", "/out/sub/c.csv"]);
    let first = files.first().unwrap();
    assert_eq!(first["hash"], sha256(b"/out/a.csv"));
    assert_eq!(
        (&first["state"], &first["attempts"]),
        (&json!("completed"), &json!(1))
    );
    let late = admin.patch(&format!("/transfers/{id}"));
    let late = late.json(&json!({"label": "late"})).send().await;
    late.problem(409, "state_conflict");
    // Its files are in no list but its own, and make no events of their own.
    assert_eq!(admin.all("/transfers").await.len(), 1);
    assert_eq!(admin.all(&format!("/transfers?parent={id}")).await.len(), 2);
    // The feed shows an entry when it is sealed, a moment after the transfer shows its end.
    let end = admin.get("/events?after=0&type=transfer.completed&wait=30");
    let end = end.send().await.is(200).json();
    assert_eq!(end["data"].as_array().unwrap().len(), 1);
    let feed = admin
        .get("/events?after=0&limit=500")
        .send()
        .await
        .is(200)
        .json();
    let told = feed["data"].as_array().unwrap().iter();
    let of_transfers =
        told.filter(|event| event["type"].as_str().unwrap().starts_with("transfer."));
    assert_eq!(of_transfers.count(), 3, "created, started, completed");
}

#[tokio::test]
async fn patterns_that_leave_the_folder_are_refused_by_pointer() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let wish = json!({"source": "near:/", "destination": "/in/", "exclude": ["*.tmp", "../x"]});
    let refused = admin.post("/transfers").json(&wish).send().await;
    let problem = refused.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/exclude/1");
    for wish in [
        json!({"destination": "/in/"}),
        json!({"source": "near:/", "sources": ["near:/a"], "destination": "/in/"}),
    ] {
        let refused = admin.post("/transfers").json(&wish).send().await;
        refused.problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_killed_server_neither_loses_nor_doubles_a_file() {
    const FILES: usize = 1_200;
    let mut server = Server::start().await;
    add_near(&server).await;
    let out = server.exchange().join("out");
    for number in 0..FILES {
        let folder = out.join((number % 7).to_string());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number}.txt")), number.to_string()).unwrap();
    }
    let wish = json!({"source": "near:/out/", "destination": "/in/"});
    let id = submit(&server.admin(), &wish).await;
    for wait_ms in [60, 250, 700] {
        tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
        server.kill();
        server.start_again().await;
    }
    let admin = server.admin();
    let status = admin.end_of_transfer(&id).await;
    completed(&status);
    assert_eq!(status["files_total"], FILES);
    assert_eq!(status["files_done"], FILES);
    let files = admin.all(&format!("/transfers/{id}/files?limit=500")).await;
    let paths: BTreeSet<_> = files
        .iter()
        .map(|file| file["destination"].as_str().unwrap())
        .collect();
    assert_eq!((files.len(), paths.len()), (FILES, FILES));
    let there = admin.all("/files?path_prefix=/in&limit=500").await;
    assert_eq!(there.len(), FILES);
    server.check_usage().await;
}

#[tokio::test]
async fn one_tenants_thousands_do_not_keep_another_waiting() {
    const FILES: usize = 3_000;
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let out = server.exchange().join("out");
    fs::create_dir_all(&out).unwrap();
    for number in 0..FILES {
        fs::write(out.join(number.to_string()), b"x").unwrap();
    }
    let other = server.tenant("bolt").await;
    other.upload("/a", b"a").await;
    let wish = json!({"source": "near:/out/", "destination": "/in/"});
    let id = submit(&admin, &wish).await;
    loop {
        let status = admin.get(&format!("/transfers/{id}/status")).send().await;
        if status.is(200).json()["files_total"] == FILES {
            break;
        }
    }
    completed(&other.transfer("/a", "/b").await);
    let status = admin.get(&format!("/transfers/{id}/status")).send().await;
    let status = status.is(200).json();
    assert_eq!(status["state"], "running", "{status}");
    admin
        .post(&format!("/transfers/{id}/cancel"))
        .send()
        .await
        .is(202);
    assert_eq!(admin.end_of_transfer(&id).await["outcome"], "cancelled");
}
