//! `/audit`.

use serde_json::{Value, json};

use crate::kit::Server;

#[tokio::test]
async fn a_transfers_record_has_the_six_keys() {
    let server = Server::start().await;
    let admin = server.admin();
    super::transfers::add_near(&server).await;
    admin.upload("/a", b"a").await;
    let status = admin.transfer("/a", "near:/a").await;
    let id = status["transfer_id"].as_str().unwrap();
    let created = admin
        .records(&format!("transfer_id={id}&operation=transfers.create"))
        .await
        .remove(0);
    assert_eq!(created["transfer_id"], id);
    assert_eq!(created["status"], "success");
    assert_eq!(created["ip_address"], "127.0.0.1");
    assert!(
        created["user"].as_str().unwrap().ends_with("administrator"),
        "{created}"
    );
    let time = created["timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == 24, "{time}");
    let completed = admin
        .records(&format!("transfer_id={id}&operation=transfers.complete"))
        .await
        .remove(0);
    assert_eq!(completed["status"], "success");
    let path = format!("/audit/{}", completed["audit_id"].as_str().unwrap());
    assert_eq!(admin.get(&path).send().await.is(200).json(), completed);
    let other = server.tenant("bolt").await;
    other.get(&path).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn refused_calls_are_recorded_too() {
    let server = Server::start().await;
    let admin = server.admin();
    let reader = admin.scoped(&["files:read"]).await;
    let put = reader.put("/files/content?path=/a").body("a").send().await;
    put.problem(403, "insufficient_scope");
    let record = admin.records("status=denied").await.remove(0);
    assert_eq!(record["operation"], "files.write_content");
    let request_id = put.header("x-request-id");
    assert_eq!(record["request_id"], request_id, "{record}");
}

#[tokio::test]
async fn the_journal_is_gapless_and_verifies() {
    let server = Server::start().await;
    let admin = server.admin();
    for number in 0..5 {
        admin.upload(&format!("/a/{number}"), b"x").await;
    }
    admin.records("operation=files.upload").await;
    let mut numbers: Vec<u64> = admin
        .all("/audit?limit=3")
        .await
        .iter()
        .map(|record| record["sequence"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    let expected: Vec<u64> = (numbers[0]..=numbers[numbers.len() - 1]).collect();
    assert_eq!(numbers, expected);
    let report = admin.post("/audit/verify").send().await.is(200).json();
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["first_bad"], json!(null));
    assert!(
        report["records"].as_u64().unwrap() >= numbers.len() as u64,
        "{report}"
    );
}

#[tokio::test]
async fn filters_select() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/in/a", b"x").await;
    let named = admin
        .put("/files/content?path=/out/b")
        .header("x-request-id", "req-of-mine")
        .body("y");
    named.send().await.is(201);
    let all = |rows: Vec<Value>, key: &str, value: &str| {
        assert!(
            rows.iter().all(|row| row[key] == value),
            "{key}={value}: {rows:?}"
        );
    };
    all(
        admin.records("operation=files.upload").await,
        "operation",
        "files.upload",
    );
    all(
        admin.records("status=success&path_prefix=/in").await,
        "path",
        "/in/a",
    );
    all(
        admin.records("ip_address=127.0.0.1").await,
        "ip_address",
        "127.0.0.1",
    );
    let page = admin
        .get("/audit?operation=files.purge")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(page["data"], json!([]));
    let page = admin
        .get("/audit?created_after=2999-01-01T00:00:00Z")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(page["data"], json!([]));
    for bad in [
        "status=fine",
        "created_after=yesterday",
        "transfer_id=nonsense",
    ] {
        let answer = admin.get(&format!("/audit?{bad}")).send().await;
        assert_eq!(answer.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn the_keys_of_checkpoints_are_public() {
    let server = Server::start().await;
    let keys = server
        .admin()
        .nobody()
        .get("/audit/keys")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(keys["data"].as_array().unwrap().len(), 1, "{keys}");
}

#[tokio::test]
async fn a_key_bound_to_paths_sees_no_other_keys_transfers() {
    let server = Server::start().await;
    let admin = server.admin();
    super::transfers::add_near(&server).await;
    admin.upload("/out/a", b"a").await;
    admin.upload("/in/a", b"a").await;
    let ended = admin.transfer("/out/a", "near:/a").await;
    let id = ended["transfer_id"].as_str().unwrap();
    let whole = admin.records(&format!("transfer_id={id}")).await;
    let wish = json!({"name": "narrow", "scopes": ["audit:read"], "path_prefixes": ["/in"]});
    let narrow = admin.new_key(wish).await;
    let narrow = admin.with_key(narrow["api_key"].as_str().unwrap());
    for record in narrow.all("/audit?limit=500").await {
        let path = record["path"].as_str();
        assert!(path.is_none_or(|path| path.starts_with("/in")), "{record}");
        assert_ne!(record["transfer_id"], id, "{record}");
    }
    assert!(!narrow.records("path_prefix=/in").await.is_empty());
    for record in whole {
        let own = format!("/audit/{}", record["audit_id"].as_str().unwrap());
        narrow.get(&own).send().await.problem(404, "not_found");
    }
}
