//! `/tenants`: for the operator.

use serde_json::{Value, json};

use crate::kit::{Api, Form, Server, pattern};

async fn id(caller: &Api) -> String {
    let identity = caller.get("/auth/validate").send().await.is(200).json();
    identity["tenant_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn tenants_have_the_same_paths_and_none_of_each_others_files() {
    let server = Server::start().await;
    let (acme, bolt) = (server.admin(), server.tenant("bolt").await);
    let a = acme.upload("/same/name.txt", b"of acme").await;
    let b = bolt.upload("/same/name.txt", b"of bolt").await;
    for (caller, own, foreign) in [(&acme, &a, &b), (&bolt, &b, &a)] {
        let found = caller
            .get("/files/lookup?path=/same/name.txt")
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(found["file_id"], own["file_id"]);
        let own_path = format!("/files/{}", foreign["file_id"].as_str().unwrap());
        let missing = caller
            .get("/files/fil_01m7yp4jy0emq8k9w39qsaekf4")
            .send()
            .await;
        let refused = caller.get(&own_path).send().await;
        // Foreign is told like missing, in every word but the request's own.
        let strip = |mut problem: Value| {
            for member in ["request_id", "instance"] {
                problem[member] = Value::Null;
            }
            problem
        };
        assert_eq!(
            strip(refused.problem(404, "not_found")),
            strip(missing.problem(404, "not_found"))
        );
        caller
            .get(&format!("{own_path}/download"))
            .send()
            .await
            .problem(404, "not_found");
        caller
            .delete(&own_path)
            .send()
            .await
            .problem(404, "not_found");
        caller
            .post(&format!("{own_path}/copy"))
            .json(&json!({"path": "/x"}))
            .send()
            .await
            .problem(404, "not_found");
        assert_eq!(caller.all("/files?limit=10").await.len(), 1);
    }
}

#[tokio::test]
async fn a_quota_of_bytes_and_one_of_files_hold() {
    let server = Server::start().await;
    let bolt = server.tenant("bolt").await;
    let own = format!("/tenants/{}", id(&bolt).await);
    let operator = server.operator();
    operator
        .patch(&own)
        .json(&json!({"quota_bytes": 100_000, "quota_files": 3}))
        .send()
        .await
        .is(200);
    bolt.upload("/q/1", &pattern(1, 60_000)).await;
    let over = Form::new()
        .text("destination", "q")
        .file("2", &pattern(2, 60_000))
        .upload(&bolt)
        .await;
    over.problem(413, "quota_exceeded");
    let put = bolt
        .put("/files/content?path=/q/2")
        .body(pattern(2, 60_000))
        .send()
        .await;
    put.problem(413, "quota_exceeded");
    parts_hold_the_quota(&bolt).await;
    bolt.upload("/q/2", b"2").await;
    bolt.upload("/q/3", b"3").await;
    let over = Form::new()
        .text("destination", "q")
        .file("4", b"4")
        .upload(&bolt)
        .await;
    over.problem(413, "quota_exceeded");
    let usage = operator
        .get(&format!("{own}/usage"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(usage["bytes_used"], 60_002, "{usage}");
    assert_eq!(usage["files_used"], 3, "{usage}");
    bolt.delete("/files/content?path=/q/3").send().await.is(204);
    let trash = bolt.all("/files?limit=10&state=deleted").await;
    let path = format!(
        "/files/{}?purge=true",
        trash[0]["file_id"].as_str().unwrap()
    );
    bolt.delete(&path).send().await.is(204);
    bolt.upload("/q/4", b"4").await;
}

/// The quota is told when the session is opened, with a part, or at the end.
async fn parts_hold_the_quota(bolt: &Api) {
    let session = json!({"destination": "q", "filename": "2", "size": 60_000});
    let session = bolt.post("/uploads").json(&session).send().await;
    if session.status != 201 {
        session.problem(413, "quota_exceeded");
        return;
    }
    let own = format!(
        "/uploads/{}",
        session.json()["session_id"].as_str().unwrap()
    );
    let put = bolt
        .put(&format!("{own}/parts/0"))
        .body(pattern(2, 60_000))
        .send()
        .await;
    let end = bolt
        .post(&format!("{own}/complete"))
        .json(&json!({}))
        .send()
        .await;
    assert!(
        put.status == 413 || end.status == 413,
        "{} {}",
        put.status,
        end.status
    );
    bolt.delete(&own).send().await.is(204);
}

#[tokio::test]
async fn a_tenant_is_made_once_and_only_by_the_operator() {
    let server = Server::start().await;
    server.tenant("bolt").await;
    let wish = json!({"name": "bolt"});
    server
        .operator()
        .post("/tenants")
        .json(&wish)
        .send()
        .await
        .problem(409, "name_taken");
    server
        .admin()
        .post("/tenants")
        .json(&json!({"name": "x"}))
        .send()
        .await
        .problem(403, "insufficient_scope");
    let names: Vec<Value> = server
        .operator()
        .all("/tenants?limit=1")
        .await
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    assert!(
        names.contains(&json!("bolt")) && names.contains(&json!("demo")),
        "{names:?}"
    );
    // The operator of the installation has no content.
    server.operator().get("/files").send().await.is(403);
}

#[tokio::test]
async fn a_tenant_is_renamed_and_both_journals_tell() {
    let server = Server::start().await;
    let operator = server.operator();
    let bolt = server.tenant("bolt").await;
    let own = format!("/tenants/{}", id(&bolt).await);
    let rename = |name: &str| operator.patch(&own).json(&json!({"name": name})).send();
    rename("demo").await.problem(409, "name_taken");
    rename("").await.problem(422, "validation_failed");
    let renamed = rename("nut").await;
    let request = renamed.header("x-request-id").to_owned();
    assert_eq!(renamed.is(200).json()["name"], "nut");
    assert_eq!(
        operator.get(&own).send().await.is(200).json()["name"],
        "nut"
    );
    for caller in [&operator, &bolt] {
        let told = caller.records(&format!("request_id={request}")).await;
        assert_eq!(told[0]["operation"], "tenants.update");
    }
    // The old name is free again.
    server.tenant("bolt").await;
}
