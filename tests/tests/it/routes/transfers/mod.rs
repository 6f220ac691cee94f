//! `/transfers`: to and from an OpenSSH server and a folder of this machine.

mod create;
mod failures;
mod many;
mod plan;
mod receipts;
mod sources;
mod steer;

use std::fs;

use serde_json::{Value, json};

use crate::kit::{Api, Server, Sshd};

/// A remote `far` at an OpenSSH server.
async fn add_far(admin: &Api, sshd: &Sshd, host_key: &str) -> Value {
    let wish = json!({
        "name": "far", "kind": "sftp", "host": "127.0.0.1", "port": sshd.port, "username": sshd.user,
        "private_key": sshd.key("ed25519"), "host_key": host_key, "base_path": sshd.files().to_str().unwrap(),
    });
    admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json()
}

/// A remote `near`, a folder of this machine.
pub(super) async fn add_near(server: &Server) -> Value {
    let wish =
        json!({"name": "near", "kind": "local", "folder": server.exchange().to_str().unwrap()});
    server
        .admin()
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json()
}

#[track_caller]
fn completed(status: &Value) {
    assert_eq!(status["state"], "completed", "{status}");
    assert_eq!(status["outcome"], "succeeded", "{status}");
    assert_eq!(status["bytes_done"], status["bytes_total"], "{status}");
}

#[track_caller]
fn failed(status: &Value, outcome: &str, code: &str) {
    assert_eq!(status["state"], "failed", "{status}");
    assert_eq!(status["outcome"], outcome, "{status}");
    assert_eq!(status["error_code"], code, "{status}");
    assert!(
        !status["error_message"].as_str().unwrap().is_empty(),
        "{status}"
    );
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
