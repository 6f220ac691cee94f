//! Killed at random during mixed load, again and again on the same data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::model::Model;
use crate::kit::{Api, Server};

/// How often; a release is tested with many more.
const ROUNDS: &str = "BAILEE_CRASH_ROUNDS";
const ROUNDS_DEFAULT: u64 = 10;
const WORKERS: u64 = 6;
/// The number that replays the waits before each kill.
const SEED: u64 = 0x5eed;

#[tokio::test]
async fn f01_kill_at_random_during_mixed_load() {
    let rounds = std::env::var(ROUNDS)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS_DEFAULT);
    let mut server = Server::start().await;
    let model = Arc::new(Model::default());
    for round in 0..rounds {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| tokio::spawn(work(server.admin(), Arc::clone(&model), round, worker)))
            .collect();
        tokio::time::sleep(Duration::from_millis(50 + mixed(SEED + round) % 1200)).await;
        server.kill();
        for worker in workers {
            worker.await.unwrap();
        }
        server.start_again().await;
        model.check(&server).await;
        println!(
            "round {round}: {} acknowledged uploads",
            model.acknowledged()
        );
    }
    assert!(
        model.acknowledged() > 0,
        "the server was killed before it did anything"
    );
}

/// Uploads in different ways until the server is gone.
async fn work(api: Api, model: Arc<Model>, round: u64, worker: u64) {
    static SEEDS: AtomicU64 = AtomicU64::new(1);
    for number in 0.. {
        let seed = SEEDS.fetch_add(1, Ordering::Relaxed);
        let path = format!("/load/{round}-{worker}-{number}");
        let is_kept = match worker % 3 {
            0 => put(&api, &model, &path, seed, 3000).await,
            1 => put(&api, &model, &path, seed, 400_000).await,
            _ => in_parts(&api, &model, &path, seed).await,
        };
        if !is_kept {
            return;
        }
    }
}

async fn put(api: &Api, model: &Model, path: &str, seed: u64, size: usize) -> bool {
    let content = model.sends(path, seed, size);
    let sent = api
        .put(&format!("/files/content?path={path}"))
        .body(content)
        .try_send()
        .await;
    let is_kept = sent.is_ok_and(|answer| answer.status == 201);
    if is_kept {
        model.acknowledge(path);
    }
    is_kept
}

async fn in_parts(api: &Api, model: &Model, path: &str, seed: u64) -> bool {
    let content = model.sends(path, seed, 300_000);
    let (folder, name) = path.rsplit_once('/').unwrap();
    let wish = json!({"destination": folder, "filename": name, "size": content.len()});
    let Ok(opened) = api.post("/uploads").json(&wish).try_send().await else {
        return false;
    };
    let session = opened.is(201).json()["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (number, part) in content.chunks(100_000).enumerate() {
        let call = api
            .put(&format!("/uploads/{session}/parts/{number}"))
            .body(part.to_vec());
        if call.try_send().await.is_err() {
            return false;
        }
    }
    let call = api
        .post(&format!("/uploads/{session}/complete"))
        .json(&json!({}));
    let is_kept = call
        .try_send()
        .await
        .is_ok_and(|answer| answer.status == 201);
    if is_kept {
        model.acknowledge(path);
    }
    is_kept
}

/// Spreads a small number over all bits (SplitMix64).
fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 27)
}
