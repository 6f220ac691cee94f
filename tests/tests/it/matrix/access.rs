//! Who gets in: nobody without a key, no foreign tenant, no key of too small a scope, no revoked key.

use serde_json::json;

use super::document::operations;
use super::exceptions::Findings;
use super::world::World;
use crate::kit::{Answer, Server};

fn expect(answer: &Answer, wanted: &[(u16, &str)]) -> Result<(), String> {
    let code = answer.code();
    let fits = wanted
        .iter()
        .any(|(status, name)| answer.status == *status && (*name == code || code.is_empty()));
    if fits {
        Ok(())
    } else {
        Err(format!("{} {code}", answer.status))
    }
}

#[tokio::test]
async fn nobody_gets_in() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let nobody = world.owner.nobody();
    let mut findings = Findings::of("nobody");
    for operation in operations(&server).await {
        let answer = world
            .request(&nobody, &operation, &world.path(&operation))
            .send()
            .await;
        let outcome = if operation.is_public {
            expect(&answer, &[(200, "")])
        } else if answer.header("www-authenticate").starts_with("Bearer") {
            expect(&answer, &[(401, "credential_missing")])
        } else {
            Err(format!("{} without WWW-Authenticate", answer.status))
        };
        findings.note(&operation.id, outcome);
    }
    findings.assert_none();
}

#[tokio::test]
async fn a_revoked_key_gets_nowhere() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let made = world
        .owner
        .new_key(json!({"name": "gone", "scopes": ["admin"]}))
        .await;
    let gone = world.owner.with_key(made["api_key"].as_str().unwrap());
    let path = format!("/api-keys/{}", made["key_id"].as_str().unwrap());
    world.owner.delete(&path).send().await.is(204);
    let mut findings = Findings::of("revoked");
    for operation in operations(&server)
        .await
        .into_iter()
        .filter(|operation| !operation.is_public)
    {
        let answer = world
            .request(&gone, &operation, &world.path(&operation))
            .send()
            .await;
        let wanted = [(401, "credential_revoked"), (401, "credential_invalid")];
        findings.note(&operation.id, expect(&answer, &wanted));
    }
    findings.assert_none();
}

#[tokio::test]
async fn another_tenants_objects_are_missing() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let other = server.tenant("bolt").await;
    let mut findings = Findings::of("foreign");
    for operation in operations(&server).await {
        let named = operation.path_parameters();
        // Checkpoints are counted in each tenant; tenants are the operator's.
        if named.is_empty() || named.contains(&"tree_size") || named.contains(&"tenant_id") {
            continue;
        }
        let answer = world
            .request(&other, &operation, &world.path(&operation))
            .send()
            .await;
        findings.note(&operation.id, expect(&answer, &[(404, "not_found")]));
    }
    findings.assert_none();
}

#[tokio::test]
async fn another_tenants_paths_are_missing() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let other = server.tenant("bolt").await;
    let mut findings = Findings::of("foreign_path");
    for operation in operations(&server).await {
        if operation.required_query.is_empty() || operation.id == "files.write_content" {
            continue;
        }
        let answer = world
            .request(&other, &operation, &world.path(&operation))
            .send()
            .await;
        let wanted = [(404, "not_found"), (404, "folder_not_found")];
        findings.note(&operation.id, expect(&answer, &wanted));
    }
    findings.assert_none();
}

#[tokio::test]
async fn too_small_a_scope_is_refused() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let reader = world.owner.scoped(&["files:read"]).await;
    let watcher = world.owner.scoped(&["settings:read"]).await;
    let mut findings = Findings::of("scope");
    for operation in operations(&server)
        .await
        .into_iter()
        .filter(|operation| !operation.is_public)
    {
        let is_about_files = ["files.", "folders."]
            .iter()
            .any(|noun| operation.id.starts_with(noun));
        let caller = if is_about_files { &watcher } else { &reader };
        let answer = world
            .request(caller, &operation, &world.path(&operation))
            .send()
            .await;
        let wanted = [
            (403, "insufficient_scope"),
            (403, "policy_denied"),
            (404, "not_found"),
        ];
        findings.note(&operation.id, expect(&answer, &wanted));
    }
    findings.assert_none();
}
