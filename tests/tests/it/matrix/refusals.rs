//! Refusals that every operation of a shape knows: too many requests, a body of the wrong kind or size, an idempotency key that is
//! used for two things, and conditions.

use reqwest::Method;
use serde_json::json;

use super::document::{Operation, operations};
use super::exceptions::Findings;
use super::journal;
use super::strictness::caller;
use super::world::World;
use crate::kit::{Options, Raw, Server};

#[tokio::test]
async fn an_address_that_guesses_keys_is_refused_everywhere() {
    const ATTEMPTS: usize = 200;
    let options = Options::new().set("rate_limits.auth", 3);
    let mut server = options.set("rate_limits.read", ATTEMPTS).start().await;
    let world = World::make(&server).await;
    let all = operations(&server).await;
    let guesser = world.owner.with_key("bailee_no_key_of_ours");
    for _ in 0..3 {
        guesser
            .get("/files")
            .send()
            .await
            .problem(401, "credential_invalid");
    }
    let mut findings = Findings::of("flood");
    for operation in &all {
        // Nobody guesses where no key is asked for; requests are counted there.
        let attempts = if operation.is_public { ATTEMPTS } else { 0 };
        let path = world.path(operation);
        for _ in 0..attempts {
            guesser.call(operation.method.clone(), &path).send().await;
        }
        let answer = world.request(&guesser, operation, &path).send().await;
        findings.note(&operation.id, answer.is_refusal(429, "rate_limited"));
    }
    findings.assert_none();
    // The address is ours as well: nothing can be asked of this server any more.
    server.kill();
}

#[tokio::test]
async fn bodies_of_another_kind_are_415() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let mut findings = Findings::of("media_type");
    let all = operations(&server).await;
    for operation in all.into_iter().filter(|operation| operation.takes_body) {
        let call =
            caller(&server, &operation.id).call(operation.method.clone(), &world.path(&operation));
        // Bytes of any kind are taken as they are, but not in a coding.
        let (name, value, code) = if operation.method == Method::PUT {
            ("content-encoding", "gzip", "unsupported_content_coding")
        } else {
            ("content-type", "text/xml", "unsupported_media_type")
        };
        let answer = call.header(name, value).body("<a/>").send().await;
        findings.note(&operation.id, answer.is_refusal(415, code));
    }
    findings.assert_none();
}

#[tokio::test]
async fn bodies_that_are_too_large_are_413() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let mut findings = Findings::of("large");
    let all = operations(&server).await;
    for operation in all.into_iter().filter(|operation| operation.takes_json) {
        let path = format!("/v1{}", world.path(&operation));
        let key = caller(&server, &operation.id);
        // Refused by what is declared: nothing of it need be sent.
        let head = format!(
            "{} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: 1048577\r\nConnection: close\r\n\r\n",
            operation.method,
            key.key()
        );
        let mut line = Raw::connect(&server).await;
        line.send(head.as_bytes()).await;
        let (status, code) = line.refusal(operation.method.as_str(), &path).await;
        let outcome = if (status, code.as_str()) == (413, "body_too_large") {
            Ok(())
        } else {
            Err(format!("{status} {code}"))
        };
        findings.note(&operation.id, outcome);
    }
    findings.assert_none();
}

#[tokio::test]
async fn an_idempotency_key_for_two_things_is_422() {
    let server = Server::start().await;
    let mut world = World::make(&server).await;
    let mut findings = Findings::of("reused");
    let mut posts = operations(&server).await;
    posts.retain(|operation| operation.method == Method::POST);
    posts.sort_by_key(journal::last_suspension);
    for operation in posts {
        journal::prepare(&mut world, &operation).await;
        let api = caller(&server, &operation.id);
        let path = journal::place(&world, &operation).await;
        let first = world.request(&api, &operation, &path);
        let first = first.header("idempotency-key", &operation.id).send().await;
        if !(200..300).contains(&first.status) {
            findings.note(
                &operation.id,
                Err(format!("first {} {}", first.status, first.code())),
            );
            continue;
        }
        let other = api.call(Method::POST, &path).body("{\"other\": true}");
        let other = other.header("content-type", "application/json");
        let other = other.header("idempotency-key", &operation.id).send().await;
        findings.note(
            &operation.id,
            other.is_refusal(422, "idempotency_key_reused"),
        );
    }
    findings.assert_none();
}

/// Where a condition can hold or not: files named by their path are there.
fn guarded_path(world: &World, operation: &Operation) -> String {
    if operation.path == "/files/content" {
        return "/files/content?path=/m/guarded.txt".to_owned();
    }
    world.path(operation)
}

#[tokio::test]
async fn conditions_are_kept_and_can_be_asked_for() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    world.owner.upload("/m/guarded.txt", b"guarded").await;
    let settings = json!({"require_if_match": true});
    let changed = world.owner.patch("/settings").json(&settings).send().await;
    changed.is(200);
    let mut failed = Findings::of("condition");
    let mut missing = Findings::of("no_condition");
    let all = operations(&server).await;
    for operation in all.into_iter().filter(|operation| operation.is_guarded) {
        let path = guarded_path(&world, &operation);
        let call = world.request(&world.owner, &operation, &path);
        let answer = call.header("if-match", "\"another\"").send().await;
        failed.note(&operation.id, answer.is_refusal(412, "etag_mismatch"));
        if !operation.is_read() {
            let answer = world.request(&world.owner, &operation, &path).send().await;
            missing.note(
                &operation.id,
                answer.is_refusal(428, "precondition_required"),
            );
        }
    }
    failed.assert_none();
    missing.assert_none();
}
