//! `/pgp-keys`, with keys of GnuPG.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::kit::{Answer, Api, Gpg, PARTNER_KEY, Server};

async fn import(api: &Api, wish: &Value) -> Answer {
    api.post("/pgp-keys").json(wish).send().await
}

fn own(key: &Value) -> String {
    format!("/pgp-keys/{}", key["pgp_key_id"].as_str().unwrap())
}

/// Somebody of the daily work, with every scope.
async fn member(admin: &Api) -> Api {
    let wish = json!({"name": "member", "roles": ["member"]});
    let made = admin.post("/service-accounts").json(&wish).send().await;
    let id = made.is(201).json()["service_account_id"].clone();
    let wish = json!({"name": "member", "scopes": ["admin"], "principal_id": id});
    admin.with_key(admin.new_key(wish).await["api_key"].as_str().unwrap())
}

#[tokio::test]
async fn a_partners_key_is_kept_shown_and_given_out() {
    let server = Server::start().await;
    let admin = server.admin();
    let gpg = Gpg::with_key("Partner", "2y", "");
    let wish = json!({"name": "partner", "key": gpg.public()});
    let key = import(&admin, &wish).await.is(201).json();
    assert_eq!(key["fingerprint"], gpg.fingerprint());
    assert_eq!(key["user_ids"], json!(["Partner"]));
    assert_eq!(key["has_secret"], false);
    assert_eq!(key["usage"], json!(["encrypt", "sign"]));
    assert_eq!(
        (&key["state"], &key["trust"]),
        (&json!("valid"), &json!("trusted"))
    );
    assert!(key["expires_at"].is_string(), "{key}");
    assert_eq!(key["subkeys"][0]["can_encrypt"], true, "{key}");
    assert_eq!(admin.get(&own(&key)).send().await.is(200).json(), key);
    assert_eq!(
        admin.all("/pgp-keys?limit=10").await,
        std::slice::from_ref(&key)
    );
    let given = admin.get(&format!("{}/export", own(&key))).send().await;
    let given = given.is(200).json();
    assert_eq!(given["fingerprint"], key["fingerprint"]);
    let other = Gpg::new();
    other.import(given["public_key"].as_str().unwrap());
    assert_eq!(other.fingerprint(), gpg.fingerprint());
    // The same key under another name would be two answers to one question.
    let twin = json!({"name": "twin", "key": gpg.public()});
    let problem = import(&admin, &twin).await.problem(409, "name_taken");
    assert_eq!(problem["errors"][0]["pointer"], "#/key");
    let namesake = json!({"name": "partner", "key": PARTNER_KEY});
    let problem = import(&admin, &namesake).await.problem(409, "name_taken");
    assert_eq!(problem["errors"][0]["pointer"], "#/name");
    admin.delete(&own(&key)).send().await.is(204);
    admin.get(&own(&key)).send().await.problem(404, "not_found");
    let record = admin.records("operation=pgp_keys.delete").await.remove(0);
    assert_eq!(
        record["data"]["fingerprint"], key["fingerprint"],
        "{record}"
    );
}

#[tokio::test]
async fn a_secret_key_goes_in_with_its_passphrase_and_never_comes_out() {
    let server = Server::start().await;
    let admin = server.admin();
    let gpg = Gpg::with_key("Own", "0", "canary-horse");
    let secret = gpg.secret("canary-horse");
    for (passphrase, code) in [
        (Value::Null, "needed"),
        (json!("wrong"), "pgp_wrong_passphrase"),
    ] {
        let wish = json!({"name": "own", "key": secret, "passphrase": passphrase});
        let problem = import(&admin, &wish)
            .await
            .problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], "#/passphrase");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    let wish = json!({"name": "own", "key": secret, "passphrase": "canary-horse"});
    let made = import(&admin, &wish).await;
    let key = made.is(201).json();
    assert_eq!(key["has_secret"], true);
    let export = admin.get(&format!("{}/export", own(&key))).send().await;
    let public = export.is(200).json();
    let public = public["public_key"].as_str().unwrap();
    assert!(public.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"));
    for answer in [made, admin.get(&own(&key)).send().await, export] {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(
            !text.contains("canary") && !text.contains("PRIVATE"),
            "{text}"
        );
    }
    let records = admin.records("operation=pgp_keys.import").await;
    assert!(!json!(records).to_string().contains("canary"));
}

#[tokio::test]
async fn binary_keys_are_sent_in_base64() {
    let server = Server::start().await;
    let gpg = Gpg::with_key("Binary", "0", "");
    let bytes = gpg.run(&["--export"]);
    let wish = json!({"name": "binary", "key": STANDARD.encode(bytes)});
    let key = import(&server.admin(), &wish).await.is(201).json();
    assert_eq!(key["fingerprint"], gpg.fingerprint());
}

#[tokio::test]
async fn keys_that_could_not_be_used_are_refused_with_the_reason() {
    let server = Server::start().await;
    let admin = server.admin();
    let revoked = Gpg::with_key("Revoked", "0", "");
    revoked.revoke();
    let old = Gpg::new();
    let long_ago = ["--faked-system-time", "20200101T000000"];
    let order = [
        "--passphrase",
        "",
        "--quick-gen-key",
        "Old",
        "default",
        "default",
        "1d",
    ];
    old.run(&[&long_ago[..], &order[..]].concat());
    let two = Gpg::with_key("One", "0", "");
    two.add_key("Two", "0", "");
    let weak = Gpg::new();
    let order = [
        "--passphrase",
        "",
        "--quick-gen-key",
        "Weak",
        "rsa1024",
        "default",
        "0",
    ];
    weak.run(&order);
    let truncated: String = PARTNER_KEY.lines().take(5).collect::<Vec<_>>().join("\n");
    for (key, code) in [
        (revoked.public(), "revoked"),
        (old.public(), "expired"),
        (weak.public(), "weak"),
        (two.public(), "several_keys"),
        (truncated, "pgp_not_a_key"),
        ("no key at all".to_owned(), "not_a_key"),
        (String::new(), "pgp_not_a_key"),
        ("QUJD".to_owned(), "pgp_not_a_key"),
    ] {
        let wish = json!({"name": "a", "key": key});
        let problem = import(&admin, &wish)
            .await
            .problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], "#/key");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    for (wish, pointer) in [
        (json!({"name": "A b", "key": PARTNER_KEY}), "#/name"),
        (
            json!({"name": "a", "key": PARTNER_KEY, "usage": ["eat"]}),
            "#/usage/0",
        ),
        (
            json!({"name": "a", "key": PARTNER_KEY, "trust": "blind"}),
            "#/trust",
        ),
        (
            json!({"name": "a", "key": PARTNER_KEY, "passphrase": "x"}),
            "#/passphrase",
        ),
    ] {
        let problem = import(&admin, &wish)
            .await
            .problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    assert!(admin.all("/pgp-keys?limit=10").await.is_empty());
}

#[tokio::test]
async fn a_generated_key_works_in_gnupg() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish =
        json!({"name": "own", "user_id": "Acme Files <files@acme.example>", "valid_days": 30});
    let made = admin.post("/pgp-keys/generate").json(&wish).send().await;
    let key = made.is(201).json();
    assert_eq!(key["has_secret"], true);
    assert_eq!(key["user_ids"], json!(["Acme Files <files@acme.example>"]));
    let public = admin.get(&format!("{}/export", own(&key))).send().await;
    let public = public.is(200).json();
    let gpg = Gpg::new();
    gpg.import(public["public_key"].as_str().unwrap());
    assert_eq!(gpg.fingerprint(), key["fingerprint"]);
    let file = gpg.write("content", b"content");
    let args = [
        "--recipient",
        "files@acme.example",
        "--output",
        "-",
        "--encrypt",
    ];
    gpg.run(&[&args[..], &[file.to_str().unwrap()]].concat());
    for (wish, pointer) in [
        (json!({"name": "a", "user_id": ""}), "#/user_id"),
        (json!({"name": "a", "user_id": "A\nB"}), "#/user_id"),
        (
            json!({"name": "a", "user_id": "A", "valid_days": 0}),
            "#/valid_days",
        ),
        (
            json!({"name": "a", "user_id": "A", "valid_days": 99_999}),
            "#/valid_days",
        ),
        (
            json!({"name": "a", "user_id": "A", "algorithm": "dsa"}),
            "#/algorithm",
        ),
    ] {
        let answer = admin.post("/pgp-keys/generate").json(&wish).send().await;
        let problem = answer.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

#[tokio::test]
async fn a_key_is_refreshed_until_it_is_revoked() {
    let server = Server::start().await;
    let admin = server.admin();
    let gpg = Gpg::with_key("Partner", "30d", "");
    let wish = json!({"name": "partner", "key": gpg.public()});
    let key = import(&admin, &wish).await.is(201).json();
    let refresh = format!("{}/refresh", own(&key));
    gpg.run(&["--quick-set-expire", &gpg.fingerprint(), "2y"]);
    let newer = json!({"key": gpg.public()});
    let call = || admin.post(&refresh).header("idempotency-key", "once");
    let fresh = call().json(&newer).send().await.is(200).json();
    assert!(fresh["expires_at"].as_str() > key["expires_at"].as_str());
    let again = call().json(&newer).send().await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = json!({"key": PARTNER_KEY});
    let problem = admin.post(&refresh).json(&other).send().await;
    let problem = problem.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["code"], "another_key");
    gpg.revoke();
    let revoked = json!({"key": gpg.public()});
    let revoked = admin.post(&refresh).json(&revoked).send().await;
    assert_eq!(revoked.is(200).json()["state"], "revoked");
    // Whoever has the key's older form cannot bring it back.
    let back = admin.post(&refresh).json(&newer).send().await;
    back.problem(409, "state_conflict");
    let record = admin.records("operation=pgp_keys.refresh").await.remove(0);
    assert_eq!(record["status"], "success");
}

#[tokio::test]
async fn name_usage_and_trust_change_under_a_condition() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"name": "partner", "key": PARTNER_KEY, "trust": "untrusted"});
    let made = import(&admin, &wish).await;
    let key = made.is(201).json();
    assert_eq!(key["trust"], "untrusted");
    let change = json!({"name": "bank", "usage": ["sign"], "trust": "trusted"});
    let stale = admin.patch(&own(&key)).header("if-match", "\"9\"");
    stale
        .json(&change)
        .send()
        .await
        .problem(412, "etag_mismatch");
    let etag = made.header("etag").to_owned();
    let fresh = admin.patch(&own(&key)).header("if-match", &etag);
    let changed = fresh.json(&change).send().await.is(200).json();
    assert_eq!(changed["name"], "bank");
    assert_eq!(changed["usage"], json!(["sign"]));
    assert_eq!(changed["trust"], "trusted");
}

#[tokio::test]
async fn roles_scopes_and_tenants_bound_keys() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"name": "partner", "key": PARTNER_KEY});
    let key = import(&admin, &wish).await.is(201).json();
    let reader = admin.scoped(&["flows:read"]).await;
    reader.get(&own(&key)).send().await.is(200);
    reader
        .delete(&own(&key))
        .send()
        .await
        .problem(403, "insufficient_scope");
    let stranger = admin.scoped(&["files:read"]).await;
    let refused = stranger.get(&own(&key)).send().await;
    refused.problem(403, "insufficient_scope");
    let member = member(&admin).await;
    member.get(&own(&key)).send().await.is(200);
    let change = json!({"usage": ["sign"]});
    let refused = member.patch(&own(&key)).json(&change).send().await;
    refused.problem(403, "policy_denied");
    let other = server.tenant("bolt").await;
    other.get(&own(&key)).send().await.problem(404, "not_found");
    other
        .delete(&own(&key))
        .send()
        .await
        .problem(404, "not_found");
    let export = format!("{}/export", own(&key));
    other.get(&export).send().await.problem(404, "not_found");
    assert!(other.all("/pgp-keys?limit=10").await.is_empty());
    // The same key and name are another tenant's as well.
    import(&other, &wish).await.is(201);
}
