//! What is outside the API proper: health, documents, the index.

use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::Server;

#[tokio::test]
async fn health_is_public_and_short() {
    let server = Server::start().await;
    let nobody = server.admin().nobody();
    for path in ["/healthz", "/readyz"] {
        let health = nobody.at(Method::GET, path).send().await.is(200).json();
        assert_eq!(health, json!({"status": "ok"}), "{path}");
    }
}

#[tokio::test]
async fn every_documented_code_has_its_page() {
    let server = Server::start().await;
    let nobody = server.admin().nobody();
    let problem = nobody
        .get("/files")
        .send()
        .await
        .problem(401, "credential_missing");
    let page = problem["type"].as_str().unwrap();
    assert!(page.starts_with(server.url()), "{page}");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.strip_suffix(".md").unwrap();
        if ["README", "index"].contains(&code) {
            continue;
        }
        let answer = nobody
            .at(Method::GET, &format!("/docs/problems/{code}/"))
            .send()
            .await;
        assert!(
            String::from_utf8_lossy(&answer.is(200).body).contains(code),
            "{code}"
        );
        count += 1;
    }
    assert!(count > 50, "{count} pages");
    nobody
        .at(Method::GET, "/docs/problems/no_such_code/")
        .send()
        .await
        .is(404);
}

#[tokio::test]
async fn the_api_document_is_served() {
    let server = Server::start().await;
    let nobody = server.admin().nobody();
    let document: Value = nobody
        .at(Method::GET, "/openapi.json")
        .send()
        .await
        .is(200)
        .json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    nobody.at(Method::GET, "/docs/api").send().await.is(200);
    nobody
        .at(Method::GET, "/")
        .header("accept", "application/json")
        .send()
        .await
        .is(200)
        .json();
}

#[tokio::test]
async fn unknown_routes_and_methods_are_told_apart() {
    let server = Server::start().await;
    let admin = server.admin();
    admin
        .get("/no/such/route")
        .send()
        .await
        .problem(404, "not_found");
    let answer = admin.put("/auth/validate").send().await;
    answer.problem(405, "method_not_allowed");
    assert!(
        answer.header("allow").contains("GET"),
        "{}",
        answer.header("allow")
    );
}

#[tokio::test]
async fn metrics_are_for_the_operator() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.get("/files").send().await.is(200);
    admin
        .nobody()
        .at(Method::GET, "/metrics")
        .send()
        .await
        .is(401);
    admin.at(Method::GET, "/metrics").send().await.is(403);
    let metrics = server.operator().at(Method::GET, "/metrics").send().await;
    assert!(String::from_utf8_lossy(&metrics.is(200).body).contains("bailee_http_requests_total"));
}

#[tokio::test]
async fn a_request_id_is_echoed_or_made() {
    let server = Server::start().await;
    let admin = server.admin();
    let own = admin
        .get("/files")
        .header("x-request-id", "abc-123")
        .send()
        .await;
    assert_eq!(own.header("x-request-id"), "abc-123");
    let made = admin.get("/files").send().await;
    assert!(
        made.header("x-request-id").starts_with("req_"),
        "{}",
        made.header("x-request-id")
    );
    for answer in [own, made] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.header("strict-transport-security").is_empty());
    }
}
