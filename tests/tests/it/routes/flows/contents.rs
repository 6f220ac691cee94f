//! Steps that make content of content.

use std::io::Write as _;
use std::time::Instant;

use serde_json::{Value, json};

use super::{begin, completed, ended, make, names, start, step};
use crate::kit::{Api, Gpg, LOOK_EVERY, PARTNER_KEY, PATIENCE, Server, pattern};

#[tokio::test]
async fn what_is_packed_signed_and_encrypted_comes_out_as_it_went_in() {
    let server = Server::start().await;
    let admin = server.admin();
    own_key(&admin).await;
    let tables = [("a.csv", table(3)), ("b.csv", table(20_000))];
    for (name, text) in &tables {
        admin.upload(&format!("/in/{name}"), text.as_bytes()).await;
    }
    let steps = json!([
        {"id": "look", "kind": "validate", "files": "/in/*", "types": ["text/*"], "name_pattern": "[ab]\\.csv",
            "csv": csv()},
        {"id": "sums", "kind": "checksum", "mode": "write", "manifest": "SHA256SUMS"},
        {"id": "pack", "kind": "compress", "format": "tar.gz", "archive": "all.tar.gz"},
        {"id": "sign", "kind": "pgp_sign", "key": "ours"},
        {"id": "verify", "kind": "pgp_verify", "signers": ["ours"]},
        {"id": "seal", "kind": "pgp_encrypt", "recipients": ["ours"], "sign_with": "ours"},
        {"id": "open", "kind": "pgp_decrypt", "keys": ["ours"], "signers": ["ours"]},
        {"id": "unpack", "kind": "extract"},
        {"id": "compare", "kind": "checksum", "mode": "check", "manifest": "SHA256SUMS"},
        {"id": "keep", "kind": "copy", "to": "/out/"},
    ]);
    let run = ended(&admin, &start(&admin, "whole", steps).await).await;
    completed(&run);
    let put_out = |key: &str| -> Vec<String> {
        let files = step(&run, key)["files"].as_array().unwrap().iter();
        files
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(put_out("sums"), ["a.csv", "b.csv", "SHA256SUMS"]);
    assert_eq!(put_out("sign"), ["all.tar.gz", "all.tar.gz.asc"]);
    assert_eq!(put_out("verify"), ["all.tar.gz"]);
    assert_eq!(put_out("seal"), ["all.tar.gz.pgp"]);
    assert_eq!(put_out("unpack"), ["a.csv", "b.csv", "SHA256SUMS"]);
    assert_eq!(names(&admin, "/out").await.len(), 2);
    for (name, text) in &tables {
        let path = format!("/files/content?path=/out/{name}");
        let found = admin.get(&path).send().await.is(200).body.clone();
        assert_eq!(found, text.as_bytes(), "{name}");
    }
    let run = run["run_id"].as_str().unwrap();
    assert_eq!(between(&admin, run).await, [""; 0]);
}

#[tokio::test]
async fn an_archive_that_means_harm_leaves_nothing() {
    let server = Server::start().await;
    let admin = server.admin();
    // The first entry is as it should be.
    let good = entry("good.txt", b'0', b"good");
    for (name, bad, code) in [
        (
            "climbs",
            entry("../evil.txt", b'0', b"evil"),
            "archive_entry_path",
        ),
        ("links", entry("evil", b'2', b""), "archive_entry_link"),
    ] {
        let tar = [&good[..], &bad, &[0; 1024]].concat();
        let path = format!("/in/{name}.tar");
        admin.upload(&path, &tar).await;
        let step = json!({"id": "a", "kind": "extract", "files": path});
        let message = fails(&admin, name, step, code).await;
        assert!(message.contains(&format!("{name}.tar")), "{message}");
    }
    admin.upload("/in/zeros", &vec![0; 8 << 20]).await;
    let steps = json!([
        {"id": "pack", "kind": "compress", "format": "zip", "files": "/in/zeros"},
        {"id": "keep", "kind": "copy", "to": "/bombs/"},
    ]);
    completed(&ended(&admin, &start(&admin, "pack", steps).await).await);
    let bomb = json!({"id": "a", "kind": "extract", "files": "/bombs/*"});
    fails(&admin, "dense", bomb, "content_too_dense").await;
    let large = json!({"id": "a", "kind": "extract", "files": "/bombs/*", "max_bytes": 1000});
    fails(&admin, "large", large, "content_too_large").await;
    let many = json!({"id": "a", "kind": "compress", "format": "gzip", "archive": "a.gz", "files": ["/in/zeros", "/bombs/*"]});
    fails(&admin, "many", many, "archive_one_file").await;
}

#[tokio::test]
async fn a_message_that_is_not_in_order_leaves_nothing() {
    let server = Server::start().await;
    let admin = server.admin();
    let gpg = Gpg::new();
    gpg.import(&own_key(&admin).await);
    let plain = gpg.write("a.csv", &pattern(9, 400_000));
    let plain = plain.to_str().unwrap().to_owned();
    let to_us = ["--recipient", "files@acme.example", "--output", "-"];
    let mut message = gpg.run(&[&to_us[..], &["--encrypt", &plain]].concat());
    // Most of it is opened before the damage shows.
    let near_end = message.len() - 40;
    message[near_end] ^= 1;
    admin.upload("/in/a.csv.pgp", &message).await;
    let open =
        json!({"id": "a", "kind": "pgp_decrypt", "files": "/in/a.csv.pgp", "keys": ["ours"]});
    let told = fails(&admin, "open", open, "pgp_damaged").await;
    assert!(told.contains("a.csv.pgp"), "{told}");
    admin.upload("/in/b.csv", b"b").await;
    let wish = json!({"name": "bank", "key": PARTNER_KEY});
    admin.post("/pgp-keys").json(&wish).send().await.is(201);
    // Keys are in order when the document is saved, and no more when it runs.
    let wish = json!({"name": "spare", "user_id": "Spare"});
    let spare = admin.post("/pgp-keys/generate").json(&wish).send().await;
    let spare = spare.is(201).json();
    let sign = json!({"id": "a", "kind": "pgp_sign", "files": "/in/b.csv", "key": "spare"});
    let sign = with_step(&admin, "sign", sign).await;
    let distrust = json!({"trust": "untrusted"});
    let path = format!("/pgp-keys/{}", spare["pgp_key_id"].as_str().unwrap());
    admin.patch(&path).json(&distrust).send().await.is(200);
    comes_to(&admin, &sign, "pgp_key_untrusted").await;
    let short = Gpg::with_key("Short", "seconds=5", "");
    let wish = json!({"name": "short", "key": short.public()});
    let short = admin.post("/pgp-keys").json(&wish).send().await;
    let short = short.is(201).json();
    let seal = json!({"id": "a", "kind": "pgp_encrypt", "files": "/in/b.csv", "recipients": ["bank", "short"]});
    let seal = with_step(&admin, "seal", seal).await;
    let path = format!("/pgp-keys/{}", short["pgp_key_id"].as_str().unwrap());
    let begun = Instant::now();
    while admin.get(&path).send().await.is(200).json()["state"] != "expired" {
        assert!(begun.elapsed() < PATIENCE, "it does not expire");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let told = comes_to(&admin, &seal, "pgp_key_expired").await;
    assert!(told.contains("short"), "{told}");
    // Signed as something else.
    let steps = json!([
        {"id": "sign", "kind": "pgp_sign", "files": "/in/b.csv", "key": "ours", "armor": false},
        {"id": "keep", "kind": "copy", "to": "/signed/"},
    ]);
    completed(&ended(&admin, &start(&admin, "detach", steps).await).await);
    let newer = admin
        .put("/files/content?path=/signed/b.csv")
        .body("changed");
    newer.send().await.is(200);
    let verify =
        json!({"id": "a", "kind": "pgp_verify", "files": "/signed/*", "signers": ["ours"]});
    let told = fails(&admin, "verify", verify, "pgp_bad_signature").await;
    assert!(told.contains("b.csv"), "{told}");
}

#[tokio::test]
async fn what_is_not_as_agreed_is_told_by_file_and_line() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/in/a.csv", table(3).as_bytes()).await;
    admin
        .upload("/in/b.csv", b"id,amount\n1,2.5\n2,much\n")
        .await;
    let look = json!({"id": "a", "kind": "validate", "files": "/in/*", "csv": csv()});
    let told = fails(&admin, "look", look, "content_invalid").await;
    assert!(told.contains("b.csv, line 3"), "{told}");
    let sums = format!("{}  a.csv\n", "0".repeat(64));
    admin.upload("/sums/SHA256SUMS", sums.as_bytes()).await;
    let compare = json!({"id": "a", "kind": "checksum", "mode": "check", "manifest": "SHA256SUMS",
        "files": ["/in/a.csv", "/sums/*"]});
    let told = fails(&admin, "compare", compare, "checksum_mismatch").await;
    assert!(told.contains("a.csv"), "{told}");
}

/// A flow of one step.
async fn with_step(admin: &Api, name: &str, step: Value) -> Value {
    make(admin, json!({"name": name, "steps": [step]})).await
}

/// Runs a flow of one step, which fails with a code; answers the cause in words.
async fn fails(admin: &Api, name: &str, step: Value, code: &str) -> String {
    let flow = with_step(admin, name, step).await;
    comes_to(admin, &flow, code).await
}

/// Runs a flow whose first step fails with a code; answers the cause in words. Nothing of it is left behind.
async fn comes_to(admin: &Api, flow: &Value, code: &str) -> String {
    let before = admin.all("/files?limit=100").await;
    let run = ended(admin, &begin(admin, flow, &json!({})).await).await;
    assert_eq!(run["state"], "failed", "{run}");
    assert_eq!(run["error_code"], code, "{run}");
    assert_eq!(run["steps"][0]["error_code"], code, "{run}");
    assert_eq!(admin.all("/files?limit=100").await, before, "{run}");
    let trash = admin.all("/files?limit=100&state=deleted").await;
    assert!(trash.is_empty(), "{trash:?}");
    run["steps"][0]["error_message"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Makes our key `ours`; answers its public part.
async fn own_key(admin: &Api) -> String {
    let wish = json!({"name": "ours", "user_id": "Acme Files <files@acme.example>"});
    let made = admin.post("/pgp-keys/generate").json(&wish).send().await;
    let path = format!(
        "/pgp-keys/{}/export",
        made.is(201).json()["pgp_key_id"].as_str().unwrap()
    );
    let given = admin.get(&path).send().await.is(200).json();
    given["public_key"].as_str().unwrap().to_owned()
}

async fn between(admin: &Api, run: &str) -> Vec<String> {
    let found = admin
        .all(&format!("/files?limit=50&path_prefix=/.flows/{run}/"))
        .await;
    let path = |file: &Value| file["path"].as_str().unwrap().to_owned();
    found.iter().map(path).collect()
}

fn csv() -> Value {
    json!({"min_rows": 1, "columns": [
        {"name": "id", "type": "integer", "required": true}, {"name": "amount", "type": "decimal"}]})
}

fn table(rows: usize) -> String {
    let rows = (1..=rows).map(|row| format!("{row},{row}.50\n"));
    format!("id,amount\n{}", rows.collect::<String>())
}

/// An entry of a tar archive.
fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &[u8]| (&mut header[at..]).write_all(text).unwrap();
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
    [&header[..], content, &padding].concat()
}
