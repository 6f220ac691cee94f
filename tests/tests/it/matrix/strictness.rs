//! A typo never means something: unknown parameters and fields are refused everywhere.

use serde_json::json;

use super::document::operations;
use super::exceptions::Findings;
use super::world::World;
use crate::kit::{Api, Server};

/// Tenants are the operator's, everything else is the tenant's administrator's.
pub(super) fn caller(server: &Server, operation: &str) -> Api {
    if operation.starts_with("tenants.") || operation.starts_with("system.") {
        server.operator()
    } else {
        server.admin()
    }
}

#[tokio::test]
async fn unknown_parameters_are_400() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let mut findings = Findings::of("parameter");
    for operation in operations(&server).await {
        let path = world.path(&operation);
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}surprise=1");
        let call = world.request(&caller(&server, &operation.id), &operation, &path);
        let answer = call.send().await;
        let is_named = answer.body.is_empty() || answer.json()["code"] == "unknown_parameter";
        let outcome = if answer.status == 400 && is_named {
            Ok(())
        } else {
            Err(format!("{} {:?}", answer.status, answer.body))
        };
        findings.note(&operation.id, outcome);
    }
    findings.assert_none();
}

#[tokio::test]
async fn unknown_fields_are_422() {
    let server = Server::start().await;
    let world = World::make(&server).await;
    let mut findings = Findings::of("field");
    for operation in operations(&server)
        .await
        .into_iter()
        .filter(|operation| operation.takes_json)
    {
        let mut body = world.body(&operation).unwrap();
        body["surprise"] = json!(1);
        let call =
            caller(&server, &operation.id).call(operation.method.clone(), &world.path(&operation));
        let answer = call.json(&body).send().await;
        let problem = answer.json();
        let outcome = if answer.status == 422
            && problem["code"] == "unknown_field"
            && problem["errors"][0]["pointer"] == "#/surprise"
        {
            Ok(())
        } else {
            Err(format!("{} {problem}", answer.status))
        };
        findings.note(&operation.id, outcome);
    }
    findings.assert_none();
}
