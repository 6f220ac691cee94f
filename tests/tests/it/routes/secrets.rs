//! `/secrets`, and remotes that refer to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::kit::{Api, Options, Peer, Server, Sshd, background};

async fn keep(api: &Api, wish: &Value) -> Value {
    let made = api.post("/secrets").json(wish).send().await;
    made.is(201).json()
}

fn own(secret: &Value) -> String {
    format!("/secrets/{}", secret["secret_id"].as_str().unwrap())
}

/// A remote at `sshd` whose private key is what `key` says.
async fn far(api: &Api, sshd: &Sshd, name: &str, key: Value) -> Value {
    let wish = json!({
        "name": name, "kind": "sftp", "host": "127.0.0.1", "port": sshd.port, "username": sshd.user,
        "host_key": sshd.host_fingerprint(), "private_key": key, "base_path": sshd.files().to_str().unwrap(),
    });
    let made = api.post("/remotes").json(&wish).send().await;
    made.is(201).json()
}

/// A store of secrets: answers by `answer`, counts how often it was asked.
async fn stand_in<F>(answer: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(Request) -> (u16, Value) + Clone + Send + Sync + 'static,
{
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let router = Router::new().fallback(move |request: Request| {
        let (answer, count) = (answer.clone(), Arc::clone(&count));
        async move {
            count.fetch_add(1, Ordering::Relaxed);
            let (status, body) = answer(request);
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            (status, body.to_string()).into_response()
        }
    });
    let listening =
        background().spawn(async { tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap() });
    let listener = listening.await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    background().spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, asked)
}

#[tokio::test]
async fn a_secret_goes_in_is_replaced_and_never_comes_out() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"name": "bank", "kind": "value", "value": "canary-1"});
    let made = admin.post("/secrets").json(&wish).send().await;
    let secret = made.is(201).json();
    assert_eq!(secret["kind"], "value");
    assert_eq!(secret["reference"], Value::Null);
    let again = admin.post("/secrets").json(&wish).send().await;
    again.problem(409, "name_taken");
    let newer = json!({"name": "bank", "kind": "value", "value": "canary-2"});
    let stale = admin.put(&own(&secret)).header("if-match", "\"9\"");
    stale
        .json(&newer)
        .send()
        .await
        .problem(412, "etag_mismatch");
    let replaced = admin.put(&own(&secret)).json(&newer).send().await;
    replaced.is(200);
    let read = admin.get(&own(&secret)).send().await;
    assert_eq!(read.is(200).json()["has_value"], true);
    for answer in [made, replaced, read, admin.get("/secrets").send().await] {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("canary"), "{text}");
    }
    let records = admin.records("operation=secrets.replace").await;
    assert!(!json!(records).to_string().contains("canary"));
    let other = server.tenant("bolt").await;
    for call in [other.get(&own(&secret)), other.delete(&own(&secret))] {
        call.send().await.problem(404, "not_found");
    }
    assert!(other.all("/secrets?limit=10").await.is_empty());
    let reader = admin.scoped(&["remotes:read"]).await;
    let refused = reader.delete(&own(&secret)).send().await;
    refused.problem(403, "insufficient_scope");
    admin.delete(&own(&secret)).send().await.is(204);
}

#[tokio::test]
async fn impossible_secrets_are_refused_with_the_field() {
    let server = Server::start().await;
    let admin = server.admin();
    for (wish, pointer) in [
        (
            json!({"name": "A b", "kind": "value", "value": "x"}),
            "#/name",
        ),
        (
            json!({"name": "a", "kind": "value", "value": ""}),
            "#/value",
        ),
        (
            json!({"name": "a", "kind": "env", "variable": "PATH"}),
            "#/variable",
        ),
        (
            json!({"name": "a", "kind": "file", "path": "/etc/shadow"}),
            "#/path",
        ),
        (
            json!({"name": "a", "kind": "vault", "url": "ftp://a", "path": "b", "token": "t"}),
            "#/url",
        ),
        (
            json!({"name": "a", "kind": "vault", "url": "https://a", "path": "../b", "token": "t"}),
            "#/path",
        ),
        (
            json!({"name": "a", "kind": "aws_secrets_manager", "region": "r/evil.example", "secret": "s",
                "access_key_id": "i", "secret_access_key": "k"}),
            "#/region",
        ),
        (
            json!({"name": "a", "kind": "azure_key_vault", "url": "https://a", "secret": "s/../t",
                "directory_id": "d", "client_id": "c", "client_secret": "k"}),
            "#/secret",
        ),
    ] {
        let answer = admin.post("/secrets").json(&wish).send().await;
        let problem = answer.problem(422, "validation_failed");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{wish}: {problem}"
        );
    }
    let unknown = json!({"name": "a", "kind": "value", "value": "x", "vlaue": "y"});
    let answer = admin.post("/secrets").json(&unknown).send().await;
    answer.problem(422, "unknown_field");
}

#[tokio::test]
async fn what_is_told_of_a_secret_makes_the_same_again() {
    let server = Server::start().await;
    let admin = server.admin();
    for (own_fields, sealed) in [
        (
            json!({"name": "v", "kind": "vault", "url": "https://v.example:8200", "mount": "kv", "path": "mft/bank", "key": "password",
                "namespace": "eu", "ca_pem": null}),
            "token",
        ),
        (
            json!({"name": "s", "kind": "aws_secrets_manager", "region": "eu-central-1", "secret": "mft/bank", "key": "password",
                "access_key_id": "AKIA1", "endpoint": "https://s.example"}),
            "secret_access_key",
        ),
        (
            json!({"name": "a", "kind": "azure_key_vault", "url": "https://a.example", "secret": "bank", "version": "1", "directory_id": "d",
                "client_id": "c", "authority_url": "https://l.example"}),
            "client_secret",
        ),
    ] {
        let mut wish = own_fields.clone();
        wish[sealed] = json!("canary");
        let made = keep(&admin, &wish).await;
        let read = admin.get(&own(&made)).send().await.is(200).json();
        assert_eq!(read, made);
        for (name, value) in own_fields.as_object().unwrap() {
            assert_eq!(&read[name], value, "{name}");
        }
        assert_eq!(read[format!("has_{sealed}")], true);
        assert!(!read.to_string().contains("canary"), "{read}");
    }
}

#[tokio::test]
async fn a_remote_uses_the_secret_that_it_refers_to_and_holds_it() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let wish = json!({"name": "key", "kind": "value", "value": sshd.key("ed25519")});
    let secret = keep(&admin, &wish).await;
    let reference = json!({"secret_id": secret["secret_id"]});
    let remote = far(&admin, &sshd, "far", reference).await;
    assert_eq!(remote["has_private_key"], true);
    let referred = json!({"private_key": secret["secret_id"]});
    assert_eq!(remote["secret_ids"], referred);
    admin.upload("/a", b"a").await;
    assert_eq!(admin.transfer("/a", "far:/a").await["state"], "completed");
    let used = admin
        .delete(&own(&secret))
        .send()
        .await
        .problem(409, "in_use");
    assert!(used["detail"].as_str().unwrap().contains("far"), "{used}");
    // What is broken is said when the remote is opened, in words.
    let broken = json!({"name": "key", "kind": "value", "value": "no key"});
    admin.put(&own(&secret)).json(&broken).send().await.is(200);
    let path = format!("/remotes/{}", remote["remote_id"].as_str().unwrap());
    let tried = admin.post(&format!("{path}/test")).send().await;
    assert_eq!(tried.is(200).json()["ok"], false);
    let gone = json!({"private_key": {"secret_id": "sec_00000000000000000000000001"}});
    let refused = admin.patch(&path).json(&gone).send().await;
    let problem = refused.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/private_key/secret_id");
    let odd = json!({"private_key": {"secret": "x"}});
    let refused = admin.patch(&path).json(&odd).send().await;
    let problem = refused.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/private_key");
    let own_key = json!({"private_key": sshd.key("ed25519")});
    let changed = admin.patch(&path).json(&own_key).send().await;
    assert_eq!(changed.is(200).json()["secret_ids"], json!({}));
    assert_eq!(admin.transfer("/a", "far:/b").await["state"], "completed");
    admin.delete(&own(&secret)).send().await.is(204);
}

#[tokio::test]
async fn files_and_variables_are_read_where_the_operator_allows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let options = Options::new()
        .set("secrets.allow_files", format!("[{:?}]", folder.path()))
        .set(
            "secrets.allow_variables",
            "[\"BAILEE_TEST_NO_SUCH_SECRET\"]",
        );
    let server = options.start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    admin.upload("/a", b"a").await;
    let wish = json!({"name": "file", "kind": "file", "path": path});
    let secret = keep(&admin, &wish).await;
    assert_eq!(secret["reference"], format!("file:{}", path.display()));
    let reference = json!({"secret_id": secret["secret_id"]});
    far(&admin, &sshd, "far", reference).await;
    let failed = admin.transfer("/a", "far:/a").await;
    assert_eq!(failed["error_code"], "secret_unreadable", "{failed}");
    std::fs::write(&path, sshd.key("ed25519")).unwrap();
    assert_eq!(admin.transfer("/a", "far:/a").await["state"], "completed");
    let wish = json!({"name": "env", "kind": "env", "variable": "BAILEE_TEST_NO_SUCH_SECRET"});
    let secret = keep(&admin, &wish).await;
    let reference = json!({"secret_id": secret["secret_id"]});
    let remote = far(&admin, &sshd, "env", reference).await;
    let test = format!("/remotes/{}/test", remote["remote_id"].as_str().unwrap());
    let problem = admin.post(&test).send().await;
    problem.problem(502, "secret_unreadable");
    for outside in ["/etc/passwd", &format!("{}/../x", folder.path().display())] {
        let wish = json!({"name": "outside", "kind": "file", "path": outside});
        let answer = admin.post("/secrets").json(&wish).send().await;
        answer.problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn vault_is_asked_once_in_a_while() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let key = sshd.key("ed25519");
    let (url, asked) = stand_in(move |request| {
        let head = |name: &str| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        if head("x-vault-token") != Some("canary-token") {
            return (403, json!({"errors": ["permission denied"]}));
        }
        assert_eq!(head("x-vault-namespace"), Some("acme"));
        match request.uri().path() {
            "/v1/kv/team/data/mft/bank" => (
                200,
                json!({"data": {"data": {"key": key, "number": 7}, "metadata": {"version": 2}}}),
            ),
            _ => (404, json!({"errors": []})),
        }
    })
    .await;
    let wish = |path: &str, key: &str, token: &str| {
        json!({"name": "bank", "kind": "vault", "url": url, "mount": "kv/team", "path": path, "key": key,
            "namespace": "acme", "token": token})
    };
    let secret = keep(&admin, &wish("mft/bank", "key", "canary-token")).await;
    assert_eq!(
        secret["reference"],
        format!("vault:{url}/kv/team/mft/bank#key")
    );
    let reference = json!({"secret_id": secret["secret_id"]});
    let remote = far(&admin, &sshd, "far", reference).await;
    admin.upload("/a", b"a").await;
    for name in ["a", "b", "c"] {
        let end = admin.transfer("/a", &format!("far:/{name}")).await;
        assert_eq!(end["state"], "completed", "{end}");
    }
    assert_eq!(
        asked.load(Ordering::Relaxed),
        1,
        "what was read is remembered"
    );
    let test = format!("/remotes/{}/test", remote["remote_id"].as_str().unwrap());
    for (path, key, token) in [
        ("mft/bank", "password", "canary-token"),
        ("mft/bank", "number", "canary-token"),
        ("mft/gone", "key", "canary-token"),
        ("mft/bank", "key", "canary-wrong"),
    ] {
        let wish = wish(path, key, token);
        admin.put(&own(&secret)).json(&wish).send().await.is(200);
        let answer = admin.post(&test).send().await;
        let problem = answer.problem(502, "secret_unreadable");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("`bank`") && !detail.contains("canary"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_apart() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let (url, _) = stand_in(|_| (503, json!({"errors": ["Vault is sealed"]}))).await;
    let wish = json!({"name": "bank", "kind": "vault", "url": url, "path": "bank", "token": "t"});
    let secret = keep(&admin, &wish).await;
    let reference = json!({"secret_id": secret["secret_id"]});
    let remote = far(&admin, &sshd, "far", reference).await;
    let test = format!("/remotes/{}/test", remote["remote_id"].as_str().unwrap());
    let answer = admin.post(&test).send().await;
    let problem = answer.problem(503, "secret_unavailable");
    assert_eq!(problem["retryable"], true);
}

#[tokio::test]
async fn aws_secrets_manager_gives_whole_texts_and_entries() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let store = Peer::moto().await;
    let key = sshd.key("ed25519");
    for (name, text) in [
        ("mft/whole", key.clone()),
        ("mft/entries", json!({"key": key}).to_string()),
    ] {
        let body = json!({"Name": name, "SecretString": text}).to_string();
        let made = reqwest::Client::new()
            .post(store.url())
            .header("x-amz-target", "secretsmanager.CreateSecret")
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/secretsmanager/aws4_request, \
                 SignedHeaders=host, Signature=0",
            )
            .body(body)
            .send()
            .await
            .unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    }
    admin.upload("/a", b"a").await;
    for (name, secret, key, code) in [
        ("whole", "mft/whole", Value::Null, Value::Null),
        ("entry", "mft/entries", json!("key"), Value::Null),
        ("gone", "mft/gone", Value::Null, json!("secret_unreadable")),
        (
            "none",
            "mft/entries",
            json!("password"),
            json!("secret_unreadable"),
        ),
    ] {
        let wish = json!({"name": name, "kind": "aws_secrets_manager", "endpoint": store.url(),
            "region": "eu-central-1", "secret": secret, "key": key, "access_key_id": "test",
            "secret_access_key": "canary-key"});
        let made = keep(&admin, &wish).await;
        let reference = json!({"secret_id": made["secret_id"]});
        far(&admin, &sshd, name, reference).await;
        let end = admin.transfer("/a", &format!("{name}:/{name}")).await;
        assert_eq!(end["error_code"], code, "{end}");
    }
}

#[tokio::test]
async fn azure_key_vault_wants_a_token_first() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let key = sshd.key("ed25519");
    let (url, asked) = stand_in(move |request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let bearer = request.headers().get("authorization").cloned();
        match request.uri().path() {
            "/directory/oauth2/v2.0/token" => {
                (200, json!({"access_token": "token-1", "expires_in": 3599}))
            }
            "/secrets/bank" if bearer.as_ref().is_some_and(|text| text == "Bearer token-1") => {
                assert_eq!(query, "api-version=7.4");
                (200, json!({"value": key, "id": "x"}))
            }
            _ => (401, json!({"error": {"code": "Unauthorized"}})),
        }
    })
    .await;
    let wish = json!({"name": "bank", "kind": "azure_key_vault", "url": url, "secret": "bank",
        "directory_id": "directory", "client_id": "application", "client_secret": "canary", "authority_url": url});
    let made = keep(&admin, &wish).await;
    let reference = json!({"secret_id": made["secret_id"]});
    far(&admin, &sshd, "far", reference).await;
    admin.upload("/a", b"a").await;
    assert_eq!(admin.transfer("/a", "far:/a").await["state"], "completed");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
