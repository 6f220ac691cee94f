//! A POST whose server died after its work and before its answer: the repetition is answered as the first would have
//! been, and nothing happens twice.

use serde_json::Value;

use super::document::{Operation, operations};
use super::exceptions::Findings;
use super::journal::{last_suspension, place, prepare};
use super::strictness::caller;
use super::world::World;
use crate::kit::{Answer, Call, Server};

/// What an operation is named by where its answer shows a secret once.
fn made_id(operation: &str) -> Option<&'static str> {
    match operation {
        "api_keys.create" | "api_keys.rotate" => Some("key_id"),
        "webhooks.create" | "webhooks.rotate_secret" => Some("webhook_id"),
        "flows.rotate_secret" => Some("flow_id"),
        "tenants.create" => Some("tenant_id"),
        _ => None,
    }
}

/// A request as it was sent and answered.
struct Sent {
    operation: Operation,
    call: Call,
    first: Answer,
}

/// Whether the repetition of a request tells what the first did.
fn compare(sent: &Sent, again: &Answer) -> Result<(), String> {
    let first = sent.first.json();
    let shown = format!("{} {:?}", again.status, again.body);
    if let Some(name) = made_id(&sent.operation.id) {
        let problem = again.json();
        let is_told = again.status == 409
            && problem["code"] == "idempotency_secret_shown"
            && problem["made_id"] == first[name];
        return is_told.then_some(()).ok_or(shown);
    }
    let is_same = again.status == sent.first.status
        && again.json() == first
        && again.header("location") == sent.first.header("location")
        && again.header("etag") == sent.first.header("etag")
        && again.header("idempotent-replayed") == "true";
    is_same.then_some(()).ok_or(shown)
}

async fn send_all(server: &Server) -> Vec<Sent> {
    let mut world = World::make(server).await;
    let mut posts: Vec<Operation> = operations(server)
        .await
        .into_iter()
        .filter(|operation| operation.method == reqwest::Method::POST)
        .collect();
    posts.sort_by_key(last_suspension);
    let mut all = Vec::new();
    for operation in posts {
        prepare(&mut world, &operation).await;
        let path = place(&world, &operation).await;
        let call = world
            .request(&caller(server, &operation.id), &operation, &path)
            .header("idempotency-key", "once");
        let first = call.again().send().await;
        all.push(Sent {
            operation,
            call,
            first,
        });
    }
    all
}

/// How many records there are of each operation that was sent, once all that was done is sealed.
async fn records(server: &Server, all: &[Sent]) -> Vec<usize> {
    for api in [server.admin(), server.operator()] {
        // Sealed after whatever was done before.
        let own = api.get("/auth/validate").send().await.is(200).json();
        let path = format!("/api-keys/{}", own["key_id"].as_str().unwrap());
        let wish = serde_json::json!({"name": "last"});
        let last = api.patch(&path).json(&wish).send().await;
        let request = last.is(200).header("x-request-id").to_owned();
        api.records(&format!("request_id={request}")).await;
    }
    let mut counts = Vec::new();
    for sent in all {
        let name = &sent.operation.id;
        let own: Vec<Value> = caller(server, name)
            .all(&format!("/audit?operation={name}&limit=500"))
            .await;
        counts.push(own.len());
    }
    counts
}

#[tokio::test]
async fn a_crash_before_the_answer_does_nothing_twice() {
    let mut server = Server::start().await;
    let all = send_all(&server).await;
    let before = records(&server, &all).await;
    server.stop();
    server.forget_answers().await;
    server.start_again().await;
    let mut findings = Findings::of("replay");
    for sent in &all {
        // Twice: from what the work said, and from the answer that is kept by then.
        let again = sent.call.again().send().await;
        let once_more = sent.call.again().send().await;
        let outcome = compare(sent, &again).and(compare(sent, &once_more));
        findings.note(&sent.operation.id, outcome);
    }
    findings.assert_none();
    let after = records(&server, &all).await;
    for ((sent, before), after) in all.iter().zip(before).zip(after) {
        let name = sent.operation.id.as_str();
        let is_look = ["files.verify", "remotes.test"].contains(&name);
        assert!(
            before == after || is_look,
            "{name}: {before} became {after}"
        );
    }
}
