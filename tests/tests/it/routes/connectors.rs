//! `/connectors`.

use serde_json::json;

use crate::kit::Server;

#[tokio::test]
async fn the_kinds_of_remotes_are_told_with_what_they_can_do() {
    let server = Server::start().await;
    let admin = server.admin();
    let kinds = admin.get("/connectors").send().await.is(200).json();
    let kinds = kinds["data"].as_array().unwrap();
    let names: Vec<_> = kinds.iter().map(|kind| kind["kind"].as_str()).collect();
    assert!(
        names.contains(&Some("gcs")) && names.len() == 9,
        "{names:?}"
    );
    for kind in kinds {
        let schema = &kind["configuration"];
        assert_eq!(schema["properties"]["kind"]["enum"][0], kind["kind"]);
        assert!(
            schema["required"]
                .as_array()
                .unwrap()
                .contains(&json!("name"))
        );
        let can_list = kind["capabilities"]["can_list"].as_bool().unwrap();
        assert_eq!(can_list, kind["kind"] != "https", "{kind}");
    }
    let blind = admin.scoped(&["files:read"]).await;
    let refused = blind.get("/connectors").send().await;
    refused.problem(403, "insufficient_scope");
}
