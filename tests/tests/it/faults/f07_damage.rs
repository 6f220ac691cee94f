//! Bytes that rot on disk: found before a bad one leaves.

use std::fs;
use std::path::{Path, PathBuf};

use crate::kit::{Server, pattern};

#[tokio::test]
async fn f07_a_flipped_bit_never_leaves_the_server() {
    let mut server = Server::start().await;
    let admin = server.admin();
    let content = pattern(7, 400_000);
    let file = admin.upload("/d/a.bin", &content).await;
    let own = format!("/files/{}", file["file_id"].as_str().unwrap());
    let path = format!("{own}/download");
    server.damage(|folder| {
        let blob = only_file(folder);
        let mut bytes = fs::read(&blob).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&blob, bytes).unwrap();
    });
    server.expect_log("a download broke off");
    server.expect_log("stored bytes cannot be opened");
    server.expect_log("stored bytes are damaged");
    // Cut short of Content-Length: no client takes it for the whole.
    assert!(admin.get(&path).try_send().await.is_err());
    let hit = admin
        .get(&path)
        .header("range", "bytes=190000-210000")
        .try_send()
        .await;
    assert!(hit.is_err());
    // What is not damaged is still served.
    let good = admin.get(&path).header("range", "bytes=0-999").send().await;
    assert_eq!(good.is(206).body, content[..1000]);
    let report = admin
        .post(&format!("{own}/verify"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(report["ok"], false, "{report}");
}

fn only_file(folder: &Path) -> PathBuf {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}
