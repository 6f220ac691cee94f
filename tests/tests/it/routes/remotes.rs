//! `/remotes`.

use serde_json::json;

use crate::kit::{Server, Sshd};

#[tokio::test]
async fn a_remote_is_kept_and_its_secrets_never_come_out() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"name": "bank", "kind": "sftp", "host": "sftp.bank.example", "username": "acme", "password": "canary-pw-81"});
    let made = admin.post("/remotes").json(&wish).send().await;
    let remote = made.is(201).json();
    assert_eq!(remote["port"], 22);
    assert_eq!(remote["has_password"], true);
    assert_eq!(remote["has_private_key"], false);
    let own = format!("/remotes/{}", remote["remote_id"].as_str().unwrap());
    for answer in [
        made,
        admin.get(&own).send().await,
        admin.get("/remotes").send().await,
    ] {
        assert!(!String::from_utf8_lossy(&answer.body).contains("canary-pw-81"));
    }
    admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .problem(409, "name_taken");
    // A secret is replaced by another, so that a remote never loses its only one by a slip.
    admin
        .patch(&own)
        .json(&json!({"password": null}))
        .send()
        .await
        .problem(422, "validation_failed");
    let changed = admin
        .patch(&own)
        .json(&json!({"password": "other", "port": 2222}))
        .send()
        .await;
    let changed = changed.is(200).json();
    assert_eq!(changed["has_password"], true);
    assert_eq!(changed["port"], 2222);
    let other = server.tenant("bolt").await;
    other.get(&own).send().await.problem(404, "not_found");
    admin.delete(&own).send().await.is(204);
    admin.get(&own).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn impossible_remotes_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let wishes = [
        json!({"name": "Bad Name", "kind": "sftp", "host": "h", "username": "u"}),
        json!({"name": "bailee", "kind": "sftp", "host": "h", "username": "u"}),
        json!({"name": "a", "kind": "ftp", "host": "h", "username": "u"}),
        json!({"name": "a", "kind": "sftp", "username": "u"}),
        json!({"name": "a", "kind": "sftp", "host": "h", "username": "u", "folder": "/tmp"}),
        json!({"name": "a", "kind": "local", "folder": "/etc"}),
        json!({"name": "a", "kind": "local", "folder": format!("{}/../..", server.exchange().display())}),
    ];
    for wish in wishes {
        let answer = admin.post("/remotes").json(&wish).send().await;
        assert!(
            [400, 422].contains(&answer.status),
            "{wish}: {}",
            answer.status
        );
    }
    assert!(admin.all("/remotes?limit=10").await.is_empty());
}

#[tokio::test]
async fn a_test_shows_the_host_key_and_trust_pins_it() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let wish = json!({
        "name": "far", "kind": "sftp", "host": "127.0.0.1", "port": sshd.port, "username": sshd.user,
        "private_key": sshd.key("ed25519"), "base_path": sshd.files().to_str().unwrap(),
    });
    let remote = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(remote["host_key"], json!(null));
    let own = format!("/remotes/{}", remote["remote_id"].as_str().unwrap());
    let first = admin
        .post(&format!("{own}/test"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(first["ok"], false, "{first}");
    assert_eq!(first["host_key"], sshd.host_fingerprint(), "{first}");
    admin
        .post(&format!("{own}/trust"))
        .json(&json!({"fingerprint": "AA:BB"}))
        .send()
        .await
        .is(422);
    let wrong = json!({"fingerprint": "SHA256:uNiVztksCsDhcc0u9e8BrMnTs1UHjPP9mMA2Y3n1lqI"});
    admin
        .post(&format!("{own}/trust"))
        .json(&wrong)
        .send()
        .await
        .is(200);
    let other = admin
        .post(&format!("{own}/test"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(other["ok"], false, "{other}");
    let right = json!({"fingerprint": sshd.host_fingerprint()});
    admin
        .post(&format!("{own}/trust"))
        .json(&right)
        .send()
        .await
        .is(200);
    let second = admin
        .post(&format!("{own}/test"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(second["ok"], true, "{second}");
    admin.upload("/a", b"a").await;
    assert_eq!(admin.transfer("/a", "far:/a").await["state"], "completed");
    assert_eq!(std::fs::read(sshd.files().join("a")).unwrap(), b"a");
}

#[tokio::test]
async fn a_failed_test_has_the_code_that_a_transfer_would_have() {
    let server = Server::start().await;
    let admin = server.admin();
    let folder = server.exchange().join("gone");
    std::fs::create_dir(&folder).unwrap();
    let wish = json!({"name": "gone", "kind": "local", "folder": folder.to_str().unwrap()});
    let made = admin.post("/remotes").json(&wish).send().await;
    let made = made.is(201).json();
    let path = format!("/remotes/{}/test", made["remote_id"].as_str().unwrap());
    let fine = admin.post(&path).send().await.is(200).json();
    assert_eq!(fine["ok"], true, "{fine}");
    assert_eq!(fine["steps"][0]["error_code"], json!(null));
    std::fs::remove_dir(&folder).unwrap();
    let failed = admin.post(&path).send().await.is(200).json();
    let last = failed["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["ok"], false, "{failed}");
    assert!(last["error_code"].is_string(), "{failed}");
}
