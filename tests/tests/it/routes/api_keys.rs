//! `/api-keys`.

use serde_json::json;

use crate::kit::{LOOK_EVERY, PATIENCE, Server};

#[tokio::test]
async fn a_key_is_shown_once_and_works() {
    let server = Server::start().await;
    let admin = server.admin();
    let made = admin
        .new_key(json!({"name": "nightly", "scopes": ["files:read", "files:write"]}))
        .await;
    let text = made["api_key"].as_str().unwrap();
    assert!(text.starts_with("bailee_dev_"), "the wrong environment");
    assert_eq!(made["state"], "active");
    assert!(made["expires_at"].is_string());
    let path = format!("/api-keys/{}", made["key_id"].as_str().unwrap());
    let shown = admin.get(&path).send().await.is(200).json();
    assert_eq!(shown["api_key"], json!(null));
    let list = admin.get("/api-keys").send().await;
    assert!(!String::from_utf8_lossy(&list.is(200).body).contains(text));
    let nightly = admin.with_key(text);
    nightly.upload("/k/a", b"a").await;
    nightly
        .get("/webhooks")
        .send()
        .await
        .problem(403, "insufficient_scope");
    nightly
        .delete("/files/content?path=/k/a")
        .send()
        .await
        .problem(403, "insufficient_scope");
}

#[tokio::test]
async fn a_key_cannot_hand_out_more_than_it_has() {
    let server = Server::start().await;
    let admin = server.admin();
    let manager = admin.scoped(&["identity:manage", "files:read"]).await;
    let wish = json!({"name": "more", "scopes": ["files:write"]});
    let answer = manager.post("/api-keys").json(&wish).send().await;
    assert!([403, 422].contains(&answer.status), "{}", answer.status);
    let wish = json!({"name": "system", "scopes": ["system"]});
    let answer = admin.post("/api-keys").json(&wish).send().await;
    assert!([403, 422].contains(&answer.status), "{}", answer.status);
    let wish = json!({"name": "fine", "scopes": ["files:read"]});
    manager.post("/api-keys").json(&wish).send().await.is(201);
    let wish = json!({"name": "odd", "scopes": ["files:everything"]});
    admin
        .post("/api-keys")
        .json(&wish)
        .send()
        .await
        .problem(422, "validation_failed");
}

#[tokio::test]
async fn both_secrets_work_while_rotating() {
    let server = Server::start().await;
    let admin = server.admin();
    let made = admin
        .new_key(json!({"name": "old", "scopes": ["files:read"]}))
        .await;
    let old = admin.with_key(made["api_key"].as_str().unwrap());
    let path = format!("/api-keys/{}/rotate", made["key_id"].as_str().unwrap());
    let rotated = admin
        .post(&path)
        .json(&json!({"grace_seconds": 600}))
        .send()
        .await
        .is(200)
        .json();
    let new = admin.with_key(rotated["api_key"].as_str().unwrap());
    assert_ne!(old.key(), new.key());
    for caller in [&old, &new] {
        caller.get("/files").send().await.is(200);
    }
    let at_once = admin
        .post(&path)
        .json(&json!({"grace_seconds": 0}))
        .send()
        .await
        .is(200)
        .json();
    let newest = admin.with_key(at_once["api_key"].as_str().unwrap());
    newest.get("/files").send().await.is(200);
    new.get("/files").send().await.is(401);
}

#[tokio::test]
async fn an_expired_key_is_401() {
    let server = Server::start().await;
    let admin = server.admin();
    let past =
        json!({"name": "past", "scopes": ["files:read"], "expires_at": "2001-01-01T00:00:00Z"});
    admin
        .post("/api-keys")
        .json(&past)
        .send()
        .await
        .problem(422, "validation_failed");
}

#[tokio::test]
async fn a_narrow_key_cannot_widen_itself_or_take_over_a_wider_one() {
    let server = Server::start().await;
    let admin = server.admin();
    let wide = admin
        .new_key(json!({"name": "wide", "scopes": ["admin"]}))
        .await;
    let wish = json!({"name": "narrow", "scopes": ["files:read"], "path_prefixes": ["/in"]});
    let made = admin.new_key(wish).await;
    let narrow = admin.with_key(made["api_key"].as_str().unwrap());
    let own = format!("/api-keys/{}", made["key_id"].as_str().unwrap());
    let other = format!("/api-keys/{}", wide["key_id"].as_str().unwrap());
    let attempts = [
        narrow.patch(&own).json(&json!({"path_prefixes": []})),
        narrow.patch(&own).json(&json!({"path_prefixes": null})),
        narrow.patch(&own).json(&json!({"path_prefixes": ["/"]})),
        narrow.patch(&own).json(&json!({"scopes": ["admin"]})),
        narrow.post(&format!("{other}/rotate")).json(&json!({})),
        narrow
            .post("/api-keys")
            .json(&json!({"name": "n", "scopes": ["files:read"]})),
    ];
    for attempt in attempts {
        let answer = attempt.send().await;
        assert!(
            [403, 404, 422].contains(&answer.status),
            "{} {:?}",
            answer.status,
            answer.body
        );
    }
    let shown = admin.get(&own).send().await.is(200).json();
    assert_eq!(shown["path_prefixes"], json!(["/in"]));
    assert_eq!(shown["scopes"], json!(["files:read"]));
}

#[tokio::test]
async fn scopes_and_end_change_within_bounds() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"name": "k", "scopes": ["files:read", "files:write"], "expires_at": "2040-01-01T00:00:00.000Z"});
    let made = admin.new_key(wish).await;
    let own = format!("/api-keys/{}", made["key_id"].as_str().unwrap());
    let holder = admin.with_key(made["api_key"].as_str().unwrap());
    assert_eq!(made["last_used_at"], json!(null));
    // Its holder narrows it, and cannot have back what it gave away.
    let narrow = json!({"scopes": ["files:read"], "expires_at": "2039-01-01T00:00:00.000Z"});
    let narrowed = holder.patch(&own).json(&narrow).send().await;
    let narrowed = narrowed.is(200).json();
    assert_eq!(narrowed["scopes"], narrow["scopes"]);
    assert_eq!(narrowed["expires_at"], narrow["expires_at"]);
    for wider in [
        json!({"scopes": ["files:read", "files:write"]}),
        json!({"expires_at": "2040-01-01T00:00:00.000Z"}),
        json!({"expires_at": null}),
    ] {
        let refused = holder.patch(&own).json(&wider).send().await;
        refused.problem(422, "validation_failed");
    }
    let rotated = holder.post(&format!("{own}/rotate")).send().await;
    let rotated = rotated.is(200).json();
    assert_eq!(rotated["expires_at"], narrow["expires_at"], "not by itself");
    assert!(rotated["last_used_at"].is_string() || rotated["last_used_at"].is_null());
    // Who manages identities may.
    let wide = json!({"scopes": ["files:read", "files:write"], "expires_at": null});
    let widened = admin.patch(&own).json(&wide).send().await.is(200).json();
    assert_eq!(widened["scopes"], wide["scopes"]);
    assert_eq!(widened["expires_at"], json!(null));
    for bad in [
        json!({"expires_at": "2001-01-01T00:00:00.000Z"}),
        json!({"scopes": []}),
        json!({"scopes": ["system"]}),
    ] {
        let refused = admin.patch(&own).json(&bad).send().await;
        refused.problem(422, "validation_failed");
    }
    let holder = holder.with_key(rotated["api_key"].as_str().unwrap());
    holder.upload("/k/a", b"a").await;
    let begun = std::time::Instant::now();
    while admin.get(&own).send().await.is(200).json()["last_used_at"].is_null() {
        assert!(begun.elapsed() < PATIENCE, "its use is not noted");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
