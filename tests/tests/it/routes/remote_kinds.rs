//! Remotes of each kind, there and back.

use serde_json::json;

use crate::kit::{AZURE_KEY, Api, GCS_TOKEN, PASSWORD, Peer, Server, pattern, sha256};

/// Makes the remote, tests it, and moves a file there and back.
async fn there_and_back(admin: &Api, wish: serde_json::Value) {
    let name = wish["name"].as_str().unwrap();
    let made = admin.post("/remotes").json(&wish).send().await;
    let made = made.is(201).json();
    let test = format!("/remotes/{}/test", made["remote_id"].as_str().unwrap());
    let report = admin.post(&test).send().await.is(200).json();
    assert_eq!(report["ok"], true, "{report}");
    let content = pattern(7, 3_000_000);
    let file = admin.upload(&format!("/out/{name}"), &content).await;
    let (here, far) = (format!("/out/{name}"), format!("{name}:/in/a.bin"));
    let there = admin.transfer(&here, &far).await;
    assert_eq!(there["state"], "completed", "{there}");
    let back = admin.transfer(&far, &format!("/back/{name}")).await;
    assert_eq!(back["state"], "completed", "{back}");
    let found = admin
        .get("/files?path_prefix=/back/&limit=10")
        .send()
        .await
        .is(200)
        .json();
    let hash = &found["data"][0]["hash"];
    assert_eq!(hash, &file["hash"]);
    assert_eq!(hash, &json!(sha256(&content)));
}

#[tokio::test]
async fn files_go_to_an_s3_bucket_and_back() {
    let server = Server::start().await;
    let store = Peer::moto().await;
    let wish = json!({
        "name": "lake", "kind": "s3", "endpoint": store.url(), "region": "us-east-1", "bucket": "box",
        "access_key_id": "acme", "secret_access_key": "canary-s3-1", "base_path": "acme",
    });
    there_and_back(&server.admin(), wish).await;
    assert!(!server.log().contains("canary-s3-1"));
}

#[tokio::test]
async fn files_go_to_an_azure_container_and_back() {
    let server = Server::start().await;
    let store = Peer::azurite().await;
    let wish = json!({
        "name": "vault", "kind": "azure_blob", "endpoint": format!("{}/bailee", store.url()), "account": "bailee",
        "container": "box", "account_key": AZURE_KEY, "base_path": "acme",
    });
    there_and_back(&server.admin(), wish).await;
    assert!(!server.log().contains(AZURE_KEY));
}

#[tokio::test]
async fn files_go_to_a_google_bucket_and_back() {
    let server = Server::start().await;
    let store = Peer::gcs().await;
    let wish = json!({
        "name": "depot", "kind": "gcs", "endpoint": store.https(), "ca_pem": store.ca_pem(), "bucket": "box",
        "bearer_token": GCS_TOKEN, "base_path": "acme",
    });
    there_and_back(&server.admin(), wish).await;
    assert!(!server.log().contains(GCS_TOKEN));
}

#[tokio::test]
async fn files_go_to_a_webdav_server_and_back() {
    let server = Server::start().await;
    let store = Peer::webdav().await;
    let wish = json!({
        "name": "dav", "kind": "webdav", "url": format!("{}/dav/", store.url()), "username": "acme",
        "password": PASSWORD,
    });
    there_and_back(&server.admin(), wish).await;
}

#[tokio::test]
async fn files_go_to_a_web_server_and_back() {
    let server = Server::start().await;
    let store = Peer::nginx().await;
    let wish = json!({
        "name": "web", "kind": "https", "url": format!("{}/basic/", store.https()), "ca_pem": store.ca_pem(),
        "username": "acme", "password": PASSWORD, "can_write": true,
    });
    there_and_back(&server.admin(), wish).await;
}

#[tokio::test]
async fn files_go_to_an_ftps_server_and_back() {
    let server = Server::start().await;
    let store = Peer::ftps().await;
    let wish = json!({
        "name": "press", "kind": "ftps", "host": "127.0.0.1", "port": store.port, "ca_pem": store.ca_pem(),
        "username": "ann", "password": PASSWORD, "base_path": "/",
    });
    there_and_back(&server.admin(), wish).await;
}

#[tokio::test]
async fn files_go_to_another_bailee_and_back() {
    let server = Server::start().await;
    let other = Server::start().await;
    other
        .admin()
        .upload("/from-us/in/readme", b"for our partner")
        .await;
    let wish = json!({
        "name": "berlin", "kind": "bailee", "url": other.url(), "api_key": other.admin().key(),
        "ca_pem": std::fs::read_to_string(other.ca_file()).unwrap(), "base_path": "/from-us",
    });
    there_and_back(&server.admin(), wish).await;
    let there = other.admin().all("/files?limit=10").await;
    assert!(
        there.iter().any(|file| file["path"] == "/from-us/in/a.bin"),
        "{there:?}"
    );
}
