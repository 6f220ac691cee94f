//! Killed at the K-th call of each kind on the commit path, for every K until a whole run is through.
//!
//! With SQLite each commit is a sync of ours. With PostgreSQL only blobs are synced by us; what commits there is a message to the
//! database, so the server is killed at each message that it sends, be it a statement or an answer.

use serde_json::json;

use super::model::Model;
use crate::kit::{Api, Server};

/// More calls than one upload can need: a run that never ends is a failure.
const CALLS_MAX: u32 = 200;

#[tokio::test]
async fn f02_kill_at_every_fdatasync() {
    kill_at_every("fdatasync,fsync").await;
}

#[tokio::test]
async fn f02_kill_at_every_rename() {
    kill_at_every("rename,renameat,renameat2,link,linkat").await;
}

#[tokio::test]
async fn f02_kill_at_every_message() {
    if is_postgres() {
        kill_at_every("sendto,sendmsg,writev").await;
    } else {
        println!(
            "skipped: SQLite is sent no messages; its commits are syncs, which f02_kill_at_every_fdatasync meets"
        );
    }
}

fn is_postgres() -> bool {
    std::env::var("BAILEE_TEST_DATABASE").is_ok_and(|kind| kind == "postgres")
}

/// So many runs without a kill, one after another, are the end: calls are counted by thread, and which thread does what
/// differs from run to run.
const WHOLE_RUNS: u32 = 3;

/// One server lives through all of it: each K adds its files to what must hold.
async fn kill_at_every(calls: &str) {
    let mut server = Server::start().await;
    let model = Model::default();
    let (mut kills, mut whole_runs) = (0, 0);
    for k in 1..=CALLS_MAX {
        let injection = format!("inject={calls}:signal=KILL:when={k}");
        let tracer = server
            .attach_strace(&["-e", &format!("trace={calls}"), "-e", &injection])
            .await;
        write_some(&server, &model, k).await;
        let was_killed = server.ends_within_moments().await;
        drop(tracer);
        if was_killed {
            kills += 1;
            whole_runs = 0;
        } else {
            server.kill();
            whole_runs += 1;
        }
        server.start_again().await;
        model.check(&server).await;
        if whole_runs == WHOLE_RUNS {
            println!(
                "{calls}: {kills} kills, whole from the {}th call on",
                k + 1 - WHOLE_RUNS
            );
            assert!(kills > 0, "{calls}: never called");
            return;
        }
    }
    panic!("still killed at the {CALLS_MAX}th call");
}

/// Small files (kept in their rows), large ones (files of their own), an upload by parts.
async fn write_some(server: &Server, model: &Model, k: u32) {
    let admin = server.admin();
    for (name, size) in [
        ("inline", 2000),
        ("large", 200_000),
        ("inline-2", 3000),
        ("large-2", 300_000),
    ] {
        let path = format!("/sync/{k}-{name}");
        let content = model.sends(&path, u64::from(k) * 2 + size as u64, size);
        let call = admin
            .put(&format!("/files/content?path={path}"))
            .body(content);
        if call
            .try_send()
            .await
            .is_ok_and(|answer| answer.status == 201)
        {
            model.acknowledge(&path);
        }
    }
    let path = format!("/sync/{k}-parts");
    if upload_in_parts(&admin, &model.sends(&path, u64::from(k), 200_000), &path).await {
        model.acknowledge(&path);
    }
}

async fn upload_in_parts(admin: &Api, content: &[u8], path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let opened = admin
        .post("/uploads")
        .json(&json!({"destination": folder, "filename": name}));
    let Ok(opened) = opened.try_send().await else {
        return false;
    };
    let session = opened.is(201).json()["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (number, part) in content.chunks(100_000).enumerate() {
        let put = admin
            .put(&format!("/uploads/{session}/parts/{number}"))
            .body(part.to_vec());
        if put.try_send().await.is_err() {
            return false;
        }
    }
    let complete = admin
        .post(&format!("/uploads/{session}/complete"))
        .json(&json!({}));
    complete
        .try_send()
        .await
        .is_ok_and(|answer| answer.status == 201)
}
