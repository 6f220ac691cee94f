//! `/users` and `/service-accounts`.

use serde_json::json;

use crate::kit::{Api, Server};

async fn account(admin: &Api, role: &str, scopes: &[&str]) -> Api {
    let wish = json!({"name": role, "roles": [role]});
    let made = admin
        .post("/service-accounts")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    let wish = json!({"name": role, "scopes": scopes, "principal_id": made["service_account_id"]});
    admin.with_key(admin.new_key(wish).await["api_key"].as_str().unwrap())
}

#[tokio::test]
async fn users_and_accounts_are_made_changed_and_removed() {
    let server = Server::start().await;
    let admin = server.admin();
    for (noun, id) in [
        ("users", "user_id"),
        ("service-accounts", "service_account_id"),
    ] {
        let made = admin
            .post(&format!("/{noun}"))
            .json(&json!({"name": "ann", "roles": ["member"]}))
            .send()
            .await;
        let made = made.is(201).json();
        let own = format!("/{noun}/{}", made[id].as_str().unwrap());
        admin
            .post(&format!("/{noun}"))
            .json(&json!({"name": "ann"}))
            .send()
            .await
            .problem(409, "name_taken");
        let changed = admin
            .patch(&own)
            .json(&json!({"name": "bea", "roles": ["auditor"]}))
            .send()
            .await;
        let changed = changed.is(200).json();
        assert_eq!(changed["name"], "bea");
        assert_eq!(changed["roles"], json!(["auditor"]));
        let rows = admin.all(&format!("/{noun}?limit=10")).await;
        assert!(rows.iter().any(|row| row["name"] == "bea"), "{rows:?}");
        server
            .tenant(&format!("bolt-{noun}"))
            .await
            .get(&own)
            .send()
            .await
            .problem(404, "not_found");
        admin.delete(&own).send().await.is(204);
        admin.get(&own).send().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn roles_bound_what_scopes_would_allow() {
    let server = Server::start().await;
    let admin = server.admin();
    let auditor = account(&admin, "auditor", &["admin"]).await;
    auditor.get("/audit").send().await.is(200);
    auditor
        .put("/files/content?path=/a")
        .body("a")
        .send()
        .await
        .problem(403, "policy_denied");
    auditor
        .post("/webhooks")
        .json(&json!({"url": "https://example.com/", "types": ["ping"]}))
        .send()
        .await
        .is(403);
    let member = account(&admin, "member", &["admin"]).await;
    member.upload("/a", b"a").await;
    member.get("/audit").send().await.is(403);
    member
        .post("/users")
        .json(&json!({"name": "x"}))
        .send()
        .await
        .is(403);
    member
        .patch("/settings")
        .json(&json!({"require_if_match": true}))
        .send()
        .await
        .is(403);
    for caller in [&auditor, &member, &admin] {
        caller.get("/tenants").send().await.is(403);
    }
}
