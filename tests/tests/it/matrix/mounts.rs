//! `/v1` and `/` are one API.

use reqwest::Method;
use serde_json::Value;

use super::document::{Operation, operations};
use super::exceptions::Findings;
use super::strictness::caller;
use super::world::World;
use crate::kit::{Answer, Api, Server};

/// What must be the same: status, what the answer says, and headers that clients act on.
fn essence(answer: &Answer) -> Value {
    let mut body: Value = serde_json::from_slice(&answer.body)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&answer.body).into_owned()));
    if let Some(body) = body.as_object_mut() {
        for made_anew in [
            "request_id",
            "decision_id",
            "next_cursor",
            "verified_at",
            "tested_at",
            "steps",
        ] {
            body.remove(made_anew);
        }
    }
    let headers: Vec<&str> = [
        "content-type",
        "location",
        "etag",
        "allow",
        "bailee-problem",
        "content-range",
    ]
    .map(|name| answer.header(name))
    .into();
    serde_json::json!({"status": answer.status, "headers": headers, "body": body})
}

async fn compare(world: &World, api: &Api, operation: &Operation) -> Result<(), String> {
    let path = world.path(operation);
    let mut seen = Vec::new();
    for mount in ["/v1", ""] {
        let answer = world
            .request(&api.mounted(mount), operation, &path)
            .send()
            .await;
        seen.push(essence(&answer));
    }
    if seen[0] == seen[1] {
        Ok(())
    } else {
        Err(format!("{} is not {}", seen[0], seen[1]))
    }
}

#[tokio::test]
async fn both_mounts_read_alike() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let mut findings = Findings::of("mount");
    for operation in operations(&server)
        .await
        .into_iter()
        .filter(Operation::is_read)
    {
        // The stream has no end, and each of these reads is itself journalled, which the other one shows.
        let grows = [
            "events.stream",
            "events.list",
            "audit.search",
            "audit.export",
            "audit.checkpoints",
            "audit.latest_checkpoint",
            "audit.checkpoint",
        ];
        if !grows.contains(&operation.id.as_str()) {
            let api = caller(&server, &operation.id);
            findings.note(&operation.id, compare(&world, &api, &operation).await);
        }
    }
    findings.assert_none();
}

#[tokio::test]
async fn both_mounts_refuse_alike() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let reader = world.owner.scoped(&["events:read"]).await;
    let other = server.tenant("bolt").await;
    let mut findings = Findings::of("mount_refusal");
    for operation in operations(&server)
        .await
        .into_iter()
        .filter(|operation| !operation.is_public)
    {
        let mut callers = vec![world.owner.nobody()];
        if operation.method != Method::GET {
            callers.push(reader.clone());
        }
        if operation
            .path_parameters()
            .first()
            .is_some_and(|name| *name != "tree_size")
        {
            callers.push(other.clone());
        }
        let mut outcome = Ok(());
        for api in callers {
            outcome = outcome.and(compare(&world, &api, &operation).await);
        }
        findings.note(&operation.id, outcome);
    }
    findings.assert_none();
}
