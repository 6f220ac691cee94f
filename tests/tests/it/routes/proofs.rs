//! Proofs about the journal, and its export: verified by the command line, which trusts no server.
#![expect(
    clippy::disallowed_methods,
    reason = "proofs are verified by a program of their own"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::kit::{Api, Server, binary};

async fn key(api: &Api) -> String {
    let keys = api.get("/audit/keys").send().await.is(200).json();
    keys["data"][0]["verifier"].as_str().unwrap().to_owned()
}

/// The command line without server and without configuration.
fn verify(file: &Path, key: &str) -> Output {
    Command::new(binary())
        .args(["audit", "verify"])
        .arg(file)
        .args(["--key", key])
        .env_clear()
        .env("HOME", "/nowhere")
        .output()
        .unwrap()
}

#[tokio::test]
async fn a_record_is_proven_and_a_journal_continues_itself() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/a", b"a").await;
    let record = admin.records("operation=files.upload").await.remove(0);
    let path = format!("/audit/{}/proof", record["audit_id"].as_str().unwrap());
    let first = admin.get(&path).send().await.is(200).json();
    assert_eq!(first["sequence"], record["sequence"]);
    assert_eq!(first["entry"]["operation"], "files.upload");
    let old = first["tree_size"].as_u64().unwrap();
    for number in 0..20 {
        admin.upload(&format!("/b/{number}"), b"b").await;
    }
    let newest = admin
        .records("operation=files.upload&path_prefix=/b/19")
        .await
        .remove(0);
    let newest = format!("/audit/{}/proof", newest["audit_id"].as_str().unwrap());
    let later = admin.get(&newest).send().await.is(200).json();
    let new = later["tree_size"].as_u64().unwrap();
    assert!(new > old, "{first} {later}");
    let again = format!("{path}?tree_size={old}");
    assert_eq!(admin.get(&again).send().await.is(200).json(), first);
    let between = format!("/audit/consistency?from={old}&to={new}");
    let proof = admin.get(&between).send().await.is(200).json();
    assert_eq!(proof["from_checkpoint"], first["checkpoint"]);
    assert_eq!(proof["to_checkpoint"], later["checkpoint"]);
    let done = Command::new(binary())
        .args(["audit", "consistency", "--from", &old.to_string()])
        .args(["--to", &new.to_string(), "--key", &key(&admin).await])
        .env_clear()
        .env("HOME", "/nowhere")
        .env("BAILEE_URL", server.url())
        .env("BAILEE_API_KEY", admin.key())
        .env("BAILEE_CA_FILE", server.ca_file())
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    // Refusals.
    let backwards = format!("/audit/consistency?from={new}&to={old}");
    admin
        .get(&backwards)
        .send()
        .await
        .problem(400, "invalid_parameter");
    admin
        .get("/audit/consistency?from=999999")
        .send()
        .await
        .problem(404, "not_found");
    let younger = format!("{newest}?tree_size={old}");
    admin
        .get(&younger)
        .send()
        .await
        .problem(400, "invalid_parameter");
    let other = server.tenant("bolt").await;
    other.get(&path).send().await.problem(404, "not_found");
    let reader = admin.scoped(&["files:read"]).await;
    for path in [path.as_str(), between.as_str(), "/audit/export"] {
        reader
            .get(path)
            .send()
            .await
            .problem(403, "insufficient_scope");
    }
}

#[tokio::test]
async fn an_export_is_verified_without_the_server() {
    let server = Server::start().await;
    let admin = server.admin();
    for number in 0..30 {
        admin.upload(&format!("/a/{number}"), b"a").await;
    }
    admin
        .records("operation=files.upload&path_prefix=/a/29")
        .await;
    let key = key(&admin).await;
    let export = admin.get("/audit/export").send().await;
    let whole = String::from_utf8(export.is(200).body.to_vec()).unwrap();
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let later = admin.get("/audit/export?after=17").send().await;
    let later = String::from_utf8(later.is(200).body.to_vec()).unwrap();
    let table = admin.get("/audit/export?format=csv").send().await;
    let table = String::from_utf8(table.is(200).body.to_vec()).unwrap();
    assert!(table.starts_with("sequence,tenant_id,audit_id,"), "{table}");
    admin
        .get("/audit/export?after=999999")
        .send()
        .await
        .problem(400, "invalid_parameter");
    admin
        .get("/audit/export?format=xml")
        .send()
        .await
        .problem(400, "invalid_parameter");
    let told = admin.records("operation=audit.export").await;
    assert_eq!(told[0]["status"], "success");
    drop(server);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.jsonl");
    let judge = |text: &str| {
        fs::write(&file, text).unwrap();
        verify(&file, &key)
    };
    for text in [&whole, &later] {
        let done = judge(text);
        assert!(done.status.success(), "{done:?}");
    }
    let bad = |text: &str| {
        let done = judge(text);
        assert!(!done.status.success(), "{done:?}");
        String::from_utf8(done.stderr).unwrap()
    };
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let edited = whole
        .replacen("/a/7\\\"", "/a/8\\\"", 1)
        .replacen("\"/a/7\"", "\"/a/8\"", 1);
    assert_ne!(edited, whole);
    assert!(bad(&edited).contains("edited"));
    let at = |sequence: u64| {
        let is_it = |line: &&str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["sequence"] == sequence
        };
        lines.iter().position(is_it).unwrap()
    };
    let mut deleted = lines.clone();
    deleted.remove(at(5));
    assert!(bad(&joined(&deleted)).contains("at record 5"));
    let mut swapped = lines.clone();
    swapped.swap(at(4), at(5));
    assert!(bad(&joined(&swapped)).contains("at record 4"));
    let (cut, _) = lines.split_at(lines.len() - 1);
    assert!(bad(&joined(cut)).contains("cut"));
    let (cut, _) = lines.split_at(lines.len() - 4);
    assert!(bad(&joined(cut)).contains("cut"));
}
