//! `GET /auth/validate`.

use serde_json::json;

use crate::kit::Server;

#[tokio::test]
async fn a_good_key_is_told_whose_it_is() {
    let server = Server::start().await;
    let identity = server
        .admin()
        .get("/auth/validate")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(identity["valid"], true);
    assert_eq!(identity["auth_method"], "api_key");
    assert_eq!(identity["scopes"], json!(["admin"]));
    for (member, prefix) in [
        ("principal_id", "usr_"),
        ("tenant_id", "ten_"),
        ("key_id", "key_"),
    ] {
        assert!(
            identity[member].as_str().unwrap().starts_with(prefix),
            "{identity}"
        );
    }
    assert!(identity["expires_at"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn no_key_and_wrong_keys_are_401() {
    let server = Server::start().await;
    let admin = server.admin();
    let answer = admin.nobody().get("/auth/validate").send().await;
    answer.problem(401, "credential_missing");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    let mut wrong = admin.key().to_owned();
    let last = wrong.pop().unwrap();
    wrong.push(if last == '0' { '1' } else { '0' });
    for key in ["x", "bailee_dev_nonsense", &wrong] {
        let answer = admin.with_key(key).get("/auth/validate").send().await;
        answer.problem(401, "credential_invalid");
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"invalid_token\""
        );
    }
}

#[tokio::test]
async fn two_credentials_or_another_scheme_are_401() {
    let server = Server::start().await;
    let admin = server.admin();
    let twice = admin
        .get("/auth/validate")
        .header("authorization", &format!("Bearer {}", admin.key()));
    twice.send().await.problem(401, "credential_invalid");
    for scheme in ["Basic", "bailee"] {
        let other = admin.nobody().get("/auth/validate");
        let other = other.header("authorization", &format!("{scheme} {}", admin.key()));
        other.send().await.is(401);
    }
}

#[tokio::test]
async fn a_revoked_key_is_401_at_once_on_its_node() {
    let server = Server::start().await;
    let admin = server.admin();
    let made = admin
        .new_key(json!({"name": "short", "scopes": ["files:read"]}))
        .await;
    let short = admin.with_key(made["api_key"].as_str().unwrap());
    short.get("/auth/validate").send().await.is(200);
    let path = format!("/api-keys/{}", made["key_id"].as_str().unwrap());
    admin.delete(&path).send().await.is(204);
    short
        .get("/auth/validate")
        .send()
        .await
        .problem(401, "credential_revoked");
}

#[tokio::test]
async fn a_key_of_another_network_is_403() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish =
        json!({"name": "far", "scopes": ["files:read"], "allowed_networks": ["192.0.2.0/24"]});
    let far = admin.with_key(admin.new_key(wish).await["api_key"].as_str().unwrap());
    far.get("/auth/validate")
        .send()
        .await
        .problem(403, "network_not_allowed");
    far.get("/files")
        .send()
        .await
        .problem(403, "network_not_allowed");
}

#[tokio::test]
async fn a_disabled_principal_and_a_suspended_tenant_are_403() {
    let server = Server::start().await;
    let admin = server.admin();
    let made = admin
        .post("/service-accounts")
        .json(&json!({"name": "bot", "roles": ["member"]}));
    let bot_id = made.send().await.is(201).json()["service_account_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let wish = json!({"name": "bot", "scopes": ["files:read"], "principal_id": bot_id});
    let bot = admin.with_key(admin.new_key(wish).await["api_key"].as_str().unwrap());
    bot.get("/auth/validate").send().await.is(200);
    let path = format!("/service-accounts/{bot_id}");
    admin
        .patch(&path)
        .json(&json!({"state": "disabled"}))
        .send()
        .await
        .is(200);
    bot.get("/auth/validate")
        .send()
        .await
        .problem(403, "principal_disabled");

    let other = server.tenant("bolt").await;
    let tenant_id = other.get("/auth/validate").send().await.json()["tenant_id"].clone();
    let path = format!("/tenants/{}/suspend", tenant_id.as_str().unwrap());
    server.operator().post(&path).send().await.is(200);
    other
        .get("/auth/validate")
        .send()
        .await
        .problem(403, "tenant_suspended");
    other
        .get("/files")
        .send()
        .await
        .problem(403, "tenant_suspended");
    let path = format!("/tenants/{}/activate", tenant_id.as_str().unwrap());
    server.operator().post(&path).send().await.is(200);
    other.get("/auth/validate").send().await.is(200);
}
