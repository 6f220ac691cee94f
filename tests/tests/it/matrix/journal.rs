//! Every change leaves an audit record under the operation's name, with the caller, the address and the request.

use super::document::{Operation, operations};
use super::exceptions::Findings;
use super::strictness::caller;
use super::world::World;
use crate::kit::{Api, Server};

/// What an operation needs before it can succeed.
pub(super) async fn prepare(world: &mut World, operation: &Operation) {
    for kind in [
        "file_id",
        "session_id",
        "remote_id",
        "pgp_key_id",
        "secret_id",
        "transfer_id",
        "webhook_id",
        "key_id",
        "user_id",
        "service_account_id",
        "calendar_id",
        "schedule_id",
        "alert_rule_id",
        "alert_id",
        "channel_id",
        "subscriber_id",
        "flow_id",
        "run_id",
    ] {
        if operation.path_parameters().contains(&kind) {
            world.refresh(kind).await;
        }
    }
    let id = |kind: &str| world.id(kind).to_owned();
    match operation.id.as_str() {
        "files.restore" => {
            world
                .owner
                .delete(&format!("/files/{}", id("file_id")))
                .send()
                .await
                .is(204);
        }
        "transfers.resume" => {
            world
                .owner
                .post(&format!("/transfers/{}/pause", id("transfer_id")))
                .send()
                .await
                .is(202);
        }
        "flow_runs.rerun" => {
            let path = format!("/flow-runs/{}/cancel", id("run_id"));
            world.owner.post(&path).send().await.is(202);
            world.wait_for_run("cancelled").await;
        }
        "transfers.retry" => {
            world
                .owner
                .post(&format!("/transfers/{}/cancel", id("transfer_id")))
                .send()
                .await
                .is(202);
        }
        _ => {}
    }
}

/// A path where the operation finds what it is for.
pub(super) async fn place(world: &World, operation: &Operation) -> String {
    match operation.id.as_str() {
        "files.write_content" => "/files/content?path=/m/written.txt".to_owned(),
        "files.delete_content" => {
            world
                .owner
                .put("/files/content?path=/m/doomed.txt")
                .body("x")
                .send()
                .await
                .is(201);
            "/files/content?path=/m/doomed.txt".to_owned()
        }
        "folders.delete" => {
            let wish = serde_json::json!({"path": "/doomed"});
            world
                .owner
                .post("/folders")
                .json(&wish)
                .send()
                .await
                .is(201);
            "/folders?path=/doomed".to_owned()
        }
        "folders.update" => {
            let wish = serde_json::json!({"path": "/movable"});
            world
                .owner
                .post("/folders")
                .json(&wish)
                .send()
                .await
                .is(201);
            "/folders?path=/movable".to_owned()
        }
        _ => world.path(operation),
    }
}

async fn check(world: &World, api: &Api, operation: &Operation) -> Result<(), String> {
    let path = place(world, operation).await;

    let answer = world.request(api, operation, &path).send().await;
    if !(200..300).contains(&answer.status) {
        return Err(format!("{} {:?}", answer.status, answer.body));
    }
    let request = answer.header("x-request-id");
    let filter = format!(
        "/audit?operation={}&request_id={request}&limit=1",
        operation.id
    );
    let begun = std::time::Instant::now();
    // Sealing follows within moments.
    while begun.elapsed() < std::time::Duration::from_secs(30) {
        let page = api.get(&filter).send().await.is(200).json();
        if let Some(record) = page["data"].as_array().unwrap().first() {
            let is_whole = record["status"] == "success"
                && record["ip_address"] == "127.0.0.1"
                && record["user"].as_str().is_some_and(|user| !user.is_empty())
                && record["principal_id"].is_string();
            return if is_whole {
                Ok(())
            } else {
                Err(format!("a poor record: {record}"))
            };
        }
        tokio::time::sleep(crate::kit::LOOK_EVERY).await;
    }
    Err("no record".to_owned())
}

#[tokio::test]
async fn every_change_leaves_a_record() {
    let server = Server::start().await;
    let mut world = World::make(&server).await;
    let mut findings = Findings::of("journal");
    let mut changing: Vec<Operation> = operations(&server)
        .await
        .into_iter()
        .filter(|operation| !operation.is_read())
        .collect();
    changing.sort_by_key(last_suspension);
    for operation in changing {
        prepare(&mut world, &operation).await;
        let api = caller(&server, &operation.id);
        findings.note(&operation.id, check(&world, &api, &operation).await);
    }
    findings.assert_none();
    let names: Vec<String> = operations(&server)
        .await
        .into_iter()
        .map(|operation| operation.id)
        .collect();
    for api in [server.admin(), server.operator()] {
        for record in api.all("/audit?limit=500").await {
            let is_known = names.iter().any(|name| record["operation"] == **name);
            assert!(record["request_id"].is_null() || is_known, "{record}");
        }
    }
}

/// A suspended tenant can do nothing more, so this comes last, and is undone by the next.
pub(super) fn last_suspension(operation: &Operation) -> u8 {
    match operation.id.as_str() {
        "tenants.suspend" => 1,
        "tenants.activate" => 2,
        _ => 0,
    }
}
