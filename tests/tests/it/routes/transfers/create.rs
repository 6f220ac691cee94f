//! Transfers that arrive.

use std::fs;

use serde_json::json;

use super::{add_far, add_near, completed, names};
use crate::kit::{Server, Sshd, pattern, sha256};

#[tokio::test]
async fn a_file_goes_to_an_sftp_server_and_comes_back() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    add_far(&admin, &sshd, &sshd.host_key()).await;
    for (name, size) in [("empty", 0), ("small", 26), ("large", (20 << 20) + 3)] {
        let content = pattern(size as u64, size);
        let file = admin.upload(&format!("/out/{name}"), &content).await;
        completed(
            &admin
                .transfer(&format!("out/{name}"), &format!("far:/{name}"))
                .await,
        );
        assert_eq!(fs::read(sshd.files().join(name)).unwrap(), content);
        let by_id = admin
            .transfer(
                file["file_id"].as_str().unwrap(),
                &format!("far:/{name}-by-id"),
            )
            .await;
        completed(&by_id);
        completed(
            &admin
                .transfer(&format!("far:/{name}"), &format!("/in/{name}"))
                .await,
        );
        let back = admin
            .get(&format!("/files/lookup?path=/in/{name}"))
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(back["hash"], sha256(&content));
        assert_eq!(
            admin.download(back["file_id"].as_str().unwrap()).await,
            content
        );
    }
    let expected = [
        "empty",
        "empty-by-id",
        "large",
        "large-by-id",
        "small",
        "small-by-id",
    ];
    assert_eq!(names(&sshd.files()), expected);
    server.check_usage().await;
}

#[tokio::test]
async fn an_accepted_transfer_is_told_as_the_contract_says() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/reports/report.csv", b"a;b").await;
    let wish = json!({"source": "reports/report.csv", "destination": "near:/report.csv", "notify_on_completion": true});
    let made = admin.post("/transfers").json(&wish).send().await;
    let body = made.is(202).json();
    let id = body["transfer_id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/transfers/{id}"));
    assert_eq!(body["status_url"], format!("/v1/transfers/{id}/status"));
    assert_eq!(body["source"], "/reports/report.csv");
    assert_eq!(body["destination"], "near:/report.csv");
    completed(&admin.end_of_transfer(id).await);
    let whole = admin
        .get(&format!("/transfers/{id}"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(whole["files_done"], 1);
    assert!(whole["finished_at"].is_string());
    assert_eq!(whole["error_message"], json!(null));
    let other = server.tenant("bolt").await;
    other
        .get(&format!("/transfers/{id}/status"))
        .send()
        .await
        .problem(404, "not_found");
    let rows = admin.all("/transfers?limit=5&state=completed").await;
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn inside_bailee_and_between_remotes_bytes_arrive_too() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    add_far(&admin, &sshd, &sshd.host_key()).await;
    add_near(&server).await;
    let content = pattern(5, 9 << 20);
    admin.upload("/a/x.bin", &content).await;
    completed(&admin.transfer("/a/x.bin", "/b/y.bin").await);
    completed(&admin.transfer("/b/y.bin", "near:/y.bin").await);
    completed(&admin.transfer("near:/y.bin", "far:/z.bin").await);
    assert_eq!(fs::read(sshd.files().join("z.bin")).unwrap(), content);
    // A folder at the far end: the file keeps its name.
    fs::create_dir(sshd.files().join("in")).unwrap();
    completed(&admin.transfer("/a/x.bin", "far:/in/").await);
    assert_eq!(fs::read(sshd.files().join("in/x.bin")).unwrap(), content);
    assert_eq!(names(&server.exchange()), ["y.bin"]);
}
