//! Refusals that take a caller or a moment of their own: a foreign network, an object that is nowhere, the same request at once.

use reqwest::Method;
use serde_json::json;

use super::document::operations;
use super::exceptions::Findings;
use super::journal;
use super::strictness::caller;
use super::world::World;
use crate::kit::Server;

#[tokio::test]
async fn a_key_from_another_network_is_403() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let wish = json!({"name": "far", "scopes": ["admin"], "allowed_networks": ["192.0.2.0/24"]});
    let made = world.owner.new_key(wish).await;
    let far = world.owner.with_key(made["api_key"].as_str().unwrap());
    let mut findings = Findings::of("network");
    let all = operations(&server).await;
    for operation in all.into_iter().filter(|operation| !operation.is_public) {
        let path = world.path(&operation);
        let answer = world.request(&far, &operation, &path).send().await;
        findings.note(&operation.id, answer.is_refusal(403, "network_not_allowed"));
    }
    findings.assert_none();
}

#[tokio::test]
async fn tenants_and_checkpoints_that_are_nowhere_are_404() {
    let server = Server::start().await;
    let mut world = World::make(&server).await;
    let other = server.tenant("bolt").await;
    let latest = other.get("/audit/checkpoints/latest").send().await;
    latest.problem(404, "not_found");
    let nowhere = format!("ten_{}", "0".repeat(26));
    world.name("tenant_id", &nowhere);
    world.name("tree_size", "999999");
    let mut findings = Findings::of("nowhere");
    for operation in operations(&server).await {
        let named = operation.path_parameters();
        if named.contains(&"tenant_id") || named.contains(&"tree_size") {
            let api = caller(&server, &operation.id);
            let answer = world.request(&api, &operation, &world.path(&operation));
            let answer = answer.send().await;
            findings.note(&operation.id, answer.is_refusal(404, "not_found"));
        }
    }
    findings.assert_none();
}

/// Requests with one idempotency key that are under way together. One of them works, and while it does the others hear so.
const AT_ONCE: usize = 16;
/// The first may have answered before the second is looked at; not each time.
const ROUNDS_MAX: usize = 50;

#[tokio::test]
async fn the_same_post_at_once_is_409() {
    let server = Server::start().await;
    let mut world = World::make(&server).await;
    let mut findings = Findings::of("at_once");
    let mut posts = operations(&server).await;
    posts.retain(|operation| operation.method == Method::POST);
    posts.sort_by_key(journal::last_suspension);
    for operation in posts {
        let api = caller(&server, &operation.id);
        let mut outcome = Err("none was in progress".to_owned());
        for round in 0..ROUNDS_MAX {
            journal::prepare(&mut world, &operation).await;
            let path = journal::place(&world, &operation).await;
            let key = format!("{}-{round}", operation.id);
            let calls = (0..AT_ONCE).map(|_| {
                let call = world.request(&api, &operation, &path);
                call.header("idempotency-key", &key).send()
            });
            let answers = futures::future::join_all(calls).await;
            let code = "idempotency_key_in_progress";
            if answers
                .iter()
                .any(|answer| answer.is_refusal(409, code).is_ok())
            {
                outcome = Ok(());
                break;
            }
        }
        findings.note(&operation.id, outcome);
    }
    findings.assert_none();
}
