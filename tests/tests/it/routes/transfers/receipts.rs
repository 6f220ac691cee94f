//! Receipts: made by the server, verified where there is none.
#![expect(
    clippy::disallowed_methods,
    reason = "receipts are verified by programs of their own"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use super::{add_near, completed, failed};
use crate::kit::{Api, Server, binary, python, sha256};

/// As it came, byte for byte.
async fn receipt(api: &Api, transfer_id: &str) -> Vec<u8> {
    let path = format!("/transfers/{transfer_id}/receipt");
    api.get(&path).send().await.is(200).body.to_vec()
}

async fn key(api: &Api) -> String {
    let keys = api.get("/audit/keys").send().await.is(200).json();
    keys["data"][0]["verifier"].as_str().unwrap().to_owned()
}

/// Two programs that share nothing but the form, neither of which knows a server.
fn verified(receipt: &[u8], key: &str) -> [Output; 2] {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("receipt.json");
    fs::write(&file, receipt).unwrap();
    let mut ours = Command::new(binary());
    ours.args(["receipt", "verify"])
        .arg(&file)
        .args(["--key", key]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/receipt.py");
    let mut theirs = python();
    theirs.arg(script).arg(&file).arg(key);
    [ours, theirs].map(|mut program| {
        program.env_clear().env("HOME", folder.path());
        program.output().unwrap()
    })
}

fn is_good(receipt: &[u8], key: &str) {
    for output in verified(receipt, key) {
        assert!(output.status.success(), "{output:?}");
    }
}

/// Both refuse it, and say why.
fn is_bad(receipt: &[u8], key: &str) -> String {
    let [ours, theirs] = verified(receipt, key);
    for output in [&ours, &theirs] {
        assert!(
            !output.status.success() && !output.stderr.is_empty(),
            "{output:?}"
        );
    }
    String::from_utf8(ours.stderr).unwrap()
}

#[tokio::test]
async fn a_receipt_is_verified_without_the_server() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/a.csv", "ä;b".as_bytes()).await;
    let status = admin.transfer("/a.csv", "near:/a.csv").await;
    completed(&status);
    let id = status["transfer_id"].as_str().unwrap();
    let (document, key) = (receipt(&admin, id).await, key(&admin).await);
    drop(server);
    is_good(&document, &key);
    let value: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let facts = &value["receipt"];
    assert_eq!(facts["hash"], sha256("ä;b".as_bytes()));
    assert_eq!(facts["placed_at"], "near:/a.csv");
    assert_eq!(facts["verified_by"], "read_back");
    assert!(facts["decision_id"].is_string());
    let text = String::from_utf8(document).unwrap();
    for (from, to, why) in [
        ("\"size\": 4", "\"size\": 5", "signature"),
        ("\"size\": 4", "\"size\":  4", "changed"),
        ("near:/a.csv", "near:/b.csv", "signature"),
        ("bailee-receipt-v1", "bailee-receipt-v2", "format"),
        ("\"signature\": \"", "\"signature\": \"A", "not good"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        let told = is_bad(changed.as_bytes(), &key);
        assert!(told.contains(why), "{told}");
    }
    let other = Server::start().await;
    let told = is_bad(text.as_bytes(), &self::key(&other.admin()).await);
    assert!(told.contains("signed with the key"), "{told}");
}

#[tokio::test]
async fn each_file_of_many_has_its_own_and_all_have_one() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    for name in ["a", "b", "c"] {
        admin.upload(&format!("/out/{name}"), name.as_bytes()).await;
    }
    let wish = json!({"source": "/out/", "destination": "near:/in/"});
    let made = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    let id = made["transfer_id"].as_str().unwrap();
    completed(&admin.end_of_transfer(id).await);
    let key = key(&admin).await;
    let whole = receipt(&admin, id).await;
    is_good(&whole, &key);
    let value: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(value["receipt"]["files"]["done"], 3);
    assert_eq!(value["receipt"]["size"], 3);
    for file in admin.all(&format!("/transfers/{id}/files")).await {
        let own = receipt(&admin, file["transfer_id"].as_str().unwrap()).await;
        is_good(&own, &key);
        let value: serde_json::Value = serde_json::from_slice(&own).unwrap();
        assert_eq!(value["receipt"]["parent"], id);
        assert_eq!(value["receipt"]["hash"], file["hash"]);
    }
    // Asked again it is about the same, whatever checkpoint it leads to.
    let again: serde_json::Value = serde_json::from_slice(&receipt(&admin, id).await).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(again["entry"], value["entry"]);
}

#[tokio::test]
async fn what_did_not_arrive_has_none() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/a", b"a").await;
    let status = admin.transfer("near:/missing", "/b").await;
    failed(&status, "error", "source_not_found");
    let path = |id: &str| format!("/transfers/{id}/receipt");
    let refused = admin.get(&path(status["transfer_id"].as_str().unwrap()));
    refused.send().await.problem(409, "state_conflict");
    let wish =
        json!({"source": "/a", "destination": "near:/a", "start_at": "2099-01-01T00:00:00Z"});
    let made = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    let waits = path(made["transfer_id"].as_str().unwrap());
    admin
        .get(&waits)
        .send()
        .await
        .problem(409, "state_conflict");
    let status = admin.transfer("/a", "near:/b").await;
    let there = path(status["transfer_id"].as_str().unwrap());
    admin.get(&there).send().await.is(200);
    let other = server.tenant("bolt").await;
    other.get(&there).send().await.problem(404, "not_found");
    let reader = admin.scoped(&["files:read"]).await;
    reader
        .get(&there)
        .send()
        .await
        .problem(403, "insufficient_scope");
}
