//! Asking before, and waiting for the end: `dry_run`, `Prefer: wait`, and the number of open transfers.

use std::fs;

use serde_json::{Value, json};

use super::{add_near, completed};
use crate::kit::{Api, Options, Server};

async fn plan(api: &Api, mut wish: Value) -> Value {
    wish["dry_run"] = json!(true);
    api.post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(200)
        .json()
}

#[tokio::test]
async fn a_dry_run_tells_each_file_and_makes_nothing() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let exchange = server.exchange();
    fs::create_dir_all(exchange.join("out/sub")).unwrap();
    for (name, text) in [
        ("a.csv", "a"),
        ("b.csv", "bb"),
        ("sub/c.csv", "ccc"),
        ("d.tmp", "d"),
    ] {
        fs::write(exchange.join("out").join(name), text).unwrap();
    }
    admin.upload("/in/a.csv", b"a").await;
    let wish = json!({"source": "near:/out/", "destination": "/in/", "exclude": ["*.tmp"], "sync": "size"});
    let told = plan(&admin, wish.clone()).await;
    assert_eq!(
        (
            &told["files_total"],
            &told["files_sent"],
            &told["files_skipped"]
        ),
        (&json!(3), &json!(2), &json!(1)),
        "{told}"
    );
    assert_eq!(
        (&told["bytes_total"], &told["is_complete"]),
        (&json!(5), &json!(true))
    );
    let actions: Vec<_> = told["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["action"])
        .collect();
    assert_eq!(actions, ["skip", "send", "send"]);
    assert!(told["files"][0]["reason"].is_string());
    assert_eq!(told["files"][2]["destination"], "/in/sub/c.csv");
    // The plan is what happens.
    let made = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    let status = admin
        .end_of_transfer(made["transfer_id"].as_str().unwrap())
        .await;
    completed(&status);
    assert_eq!(
        (&status["files_done"], &status["files_skipped"]),
        (&json!(2), &json!(1))
    );
    let told = plan(
        &admin,
        json!({"source": "/in/a.csv", "destination": "near:/out/a.csv"}),
    )
    .await;
    assert_eq!(told["files"][0]["action"], "fail", "{told}");
    let told = plan(
        &admin,
        json!({"source": "near:/out", "destination": "/new/", "on_conflict": "skip"}),
    )
    .await;
    assert_eq!(told["files_sent"], 4, "a folder without a slash: {told}");
    assert_eq!(admin.all("/transfers").await.len(), 1);
    assert_eq!(admin.records("operation=transfers.create").await.len(), 1);
    admin.get("/folders?path=/new").send().await.is(404);
}

#[tokio::test]
async fn a_dry_run_is_refused_as_the_transfer_would_be() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let ask = |wish: Value| admin.post("/transfers").json(&wish).send();
    let wish = json!({"source": "near:/missing", "destination": "/in/a", "dry_run": true});
    ask(wish).await.problem(404, "not_found");
    let wish = json!({"source": "/missing", "destination": "near:/a", "dry_run": true});
    ask(wish).await.problem(404, "not_found");
    let wish = json!({"source": "nobody:/a", "destination": "/a", "dry_run": true});
    ask(wish).await.problem(422, "remote_unknown");
    let reader = admin.scoped(&["files:read", "transfers:read"]).await;
    let wish = json!({"source": "near:/a", "destination": "/a", "dry_run": true});
    let refused = reader.post("/transfers").json(&wish).send().await;
    refused.problem(403, "insufficient_scope");
    let other = server.tenant("bolt").await;
    let refused = other.post("/transfers").json(&wish).send().await;
    refused.problem(422, "remote_unknown");
}

#[tokio::test]
async fn a_preferred_wait_holds_the_answer_to_the_end() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/a", b"a").await;
    let wish = |source: &str| json!({"source": source, "destination": "near:/a", "retry": {"max_attempts": 1}});
    let call = admin.post("/transfers").json(&wish("/a"));
    let done = call.header("prefer", "wait=30").send().await;
    completed(&done.is(200).json());
    assert_eq!(done.header("preference-applied"), "wait=30");
    let call = admin.post("/transfers").json(&wish("/a"));
    let failed = call.header("prefer", "wait=30").send().await;
    assert_eq!(failed.is(200).json()["error_code"], "destination_exists");
    let late =
        json!({"source": "/a", "destination": "near:/b", "start_at": "2099-01-01T00:00:00Z"});
    let held = admin
        .post("/transfers")
        .json(&late)
        .header("prefer", "wait=1")
        .send()
        .await;
    assert_eq!(held.is(202).json()["state"], "queued");
    assert_eq!(held.header("preference-applied"), "wait=1");
}

#[tokio::test]
async fn one_transfer_too_many_is_refused_and_only_its_tenants() {
    let options = Options::new().set("transfers.open_per_tenant", 2);
    let server = options.start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/a", b"a").await;
    let wish =
        json!({"source": "/a", "destination": "near:/a", "start_at": "2099-01-01T00:00:00Z"});
    let first = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    admin.post("/transfers").json(&wish).send().await.is(202);
    let refused = admin.post("/transfers").json(&wish).send().await;
    refused.problem(503, "overloaded");
    assert_eq!(refused.header("retry-after"), "5");
    let other = server.tenant("bolt").await;
    other.upload("/a", b"a").await;
    completed(&other.transfer("/a", "/b").await);
    let cancel = format!(
        "/transfers/{}/cancel",
        first["transfer_id"].as_str().unwrap()
    );
    admin.post(&cancel).send().await.is(202);
    admin.post("/transfers").json(&wish).send().await.is(202);
}

#[tokio::test]
async fn a_folder_of_many_thousands_is_listed_to_its_end() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let out = server.exchange().join("out");
    fs::create_dir_all(out.join("zz")).unwrap();
    for number in 0..10_400 {
        fs::write(out.join(format!("{number:05}.txt")), b"").unwrap();
    }
    fs::create_dir_all(out.join("00500-sub")).unwrap();
    fs::write(out.join("00500-sub/x9.csv"), b"early").unwrap();
    fs::write(out.join("zz/x9.csv"), b"late").unwrap();
    let wish =
        json!({"source": "near:/out/", "destination": "/in/", "include": ["*399.txt", "x9.csv"]});
    let told = plan(&admin, wish.clone()).await;
    assert_eq!(told["files_total"], 13, "{told}");
    let made = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    let status = admin
        .end_of_transfer(made["transfer_id"].as_str().unwrap())
        .await;
    completed(&status);
    assert_eq!(status["files_done"], 13);
    for path in ["/in/10399.txt", "/in/00500-sub/x9.csv", "/in/zz/x9.csv"] {
        let lookup = format!("/files/lookup?path={path}");
        admin.get(&lookup).send().await.is(200);
    }
}
