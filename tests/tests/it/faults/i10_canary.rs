//! No plain byte of what was stored, and no secret, lies anywhere on disk.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::kit::{Receiver, Server, pattern};

/// Texts that occur nowhere by chance.
const CANARIES: [&str; 4] = [
    "canary-inline-7d1f0c",
    "canary-large-92be41",
    "canary-part-c0ffee",
    "canary-remote-password-5a5a",
];

#[tokio::test]
async fn i10_stored_bytes_and_secrets_are_nowhere_in_the_clear() {
    let mut server = Server::start().await;
    let admin = server.admin();
    let receiver = Receiver::start();
    admin.upload("/c/inline", CANARIES[0].as_bytes()).await;
    let mut large = pattern(1, 500_000);
    large.splice(250_000..250_000, CANARIES[1].bytes().cycle().take(2000));
    admin.upload("/c/large", &large).await;
    let session = admin
        .post("/uploads")
        .json(&json!({"destination": "c", "filename": "open"}));
    let session = session.send().await.is(201).json()["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for size in [100, 200_000] {
        let part: Vec<u8> = CANARIES[2].bytes().cycle().take(size).collect();
        admin
            .put(&format!(
                "/uploads/{session}/parts/{size}",
                size = size / 100_000
            ))
            .body(part)
            .send()
            .await
            .is(200);
    }
    let remote = json!({"name": "bank", "kind": "sftp", "host": "bank.example", "username": "u", "password": CANARIES[3]});
    admin.post("/remotes").json(&remote).send().await.is(201);
    let hook = admin
        .post("/webhooks")
        .json(&json!({"url": receiver.url, "types": ["file.*"]}));
    let secret = hook.send().await.is(201).json()["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let made = admin
        .new_key(json!({"name": "k", "scopes": ["files:read"]}))
        .await;
    let key = made["api_key"].as_str().unwrap().to_owned();
    // Each of them in use, and a refused one that a careless log would hold.
    admin.with_key(&key).get("/files").send().await.is(200);
    let broken = format!("{key}0");
    admin.with_key(&broken).get("/files").send().await.is(401);
    admin.upload("/c/again", CANARIES[0].as_bytes()).await;
    receiver.wait_for(1).await;

    let texts: Vec<&str> = CANARIES
        .iter()
        .copied()
        .chain([secret.as_str(), secret_part(&key)])
        .collect();
    assert_nowhere(&server.data(), &texts);
    server.stop();
    assert_nowhere(&server.data(), &texts);
    let log = server.log();
    let own = secret_part(admin.key());
    for text in texts.iter().chain([&own]) {
        assert!(!log.contains(text), "the log holds {text}");
    }
}

/// What of a key is secret: behind its id.
fn secret_part(key: &str) -> &str {
    key.rsplit_once('_').unwrap().1
}

fn assert_nowhere(folder: &Path, texts: &[&str]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(&path, texts);
        } else if let Ok(bytes) = fs::read(&path) {
            for text in texts {
                let is_there = bytes
                    .windows(text.len())
                    .any(|window| window == text.as_bytes());
                assert!(!is_there, "{} holds {text}", path.display());
            }
        }
    }
}
