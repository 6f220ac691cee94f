//! `/remotes`.

use serde_json::json;

use crate::kit::{Server, Sshd};

#[tokio::test]
async fn a_remote_is_kept_and_its_secrets_never_come_out() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"name": "bank", "kind": "sftp", "host": "sftp.bank.example", "username": "acme", "password": "canary-pw-81"});
    let made = admin.post("/remotes").json(&wish).send().await;
    let remote = made.is(201).json();
    assert_eq!(remote["port"], 22);
    assert_eq!(remote["has_password"], true);
    assert_eq!(remote["has_private_key"], false);
    let own = format!("/remotes/{}", remote["remote_id"].as_str().unwrap());
    for answer in [
        made,
        admin.get(&own).send().await,
        admin.get("/remotes").send().await,
    ] {
        assert!(!String::from_utf8_lossy(&answer.body).contains("canary-pw-81"));
    }
    admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .problem(409, "name_taken");
    // A secret is replaced by another, so that a remote never loses its only one by a slip.
    admin
        .patch(&own)
        .json(&json!({"password": null}))
        .send()
        .await
        .problem(422, "validation_failed");
    let changed = admin
        .patch(&own)
        .json(&json!({"password": "other", "port": 2222}))
        .send()
        .await;
    let changed = changed.is(200).json();
    assert_eq!(changed["has_password"], true);
    assert_eq!(changed["port"], 2222);
    let other = server.tenant("bolt").await;
    other.get(&own).send().await.problem(404, "not_found");
    admin.delete(&own).send().await.is(204);
    admin.get(&own).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn impossible_remotes_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let wishes = [
        json!({"name": "Bad Name", "kind": "sftp", "host": "h", "username": "u"}),
        json!({"name": "bailee", "kind": "sftp", "host": "h", "username": "u"}),
        json!({"name": "a", "kind": "ftp", "host": "h", "username": "u"}),
        json!({"name": "a", "kind": "sftp", "username": "u"}),
        json!({"name": "a", "kind": "sftp", "host": "h", "username": "u", "folder": "/tmp"}),
        json!({"name": "a", "kind": "local", "folder": "/etc"}),
        json!({"name": "a", "kind": "local", "folder": format!("{}/../..", server.exchange().display())}),
    ];
    for wish in wishes {
        let answer = admin.post("/remotes").json(&wish).send().await;
        assert!(
            [400, 422].contains(&answer.status),
            "{wish}: {}",
            answer.status
        );
    }
    assert!(admin.all("/remotes?limit=10").await.is_empty());
}

#[tokio::test]
async fn a_test_shows_the_host_key_and_trust_pins_it() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let wish = json!({
        "name": "far", "kind": "sftp", "host": "127.0.0.1", "port": sshd.port, "username": sshd.user,
        "private_key": sshd.key("ed25519"), "base_path": sshd.files().to_str().unwrap(),
    });
    let remote = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(remote["host_key"], json!(null));
    let own = format!("/remotes/{}", remote["remote_id"].as_str().unwrap());
    let first = admin
        .post(&format!("{own}/test"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(first["ok"], false, "{first}");
    assert_eq!(first["host_key"], sshd.host_fingerprint(), "{first}");
    admin
        .post(&format!("{own}/trust"))
        .json(&json!({"fingerprint": "AA:BB"}))
        .send()
        .await
        .is(422);
    let wrong = json!({"fingerprint": "SHA256:uNiVztksCsDhcc0u9e8BrMnTs1UHjPP9mMA2Y3n1lqI"});
    admin
        .post(&format!("{own}/trust"))
        .json(&wrong)
        .send()
        .await
        .is(200);
    let other = admin
        .post(&format!("{own}/test"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(other["ok"], false, "{other}");
    let right = json!({"fingerprint": sshd.host_fingerprint()});
    admin
        .post(&format!("{own}/trust"))
        .json(&right)
        .send()
        .await
        .is(200);
    let second = admin
        .post(&format!("{own}/test"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(second["ok"], true, "{second}");
    admin.upload("/a", b"a").await;
    assert_eq!(admin.transfer("/a", "far:/a").await["state"], "completed");
    assert_eq!(std::fs::read(sshd.files().join("a")).unwrap(), b"a");
}

#[tokio::test]
async fn a_failed_test_has_the_code_that_a_transfer_would_have() {
    let server = Server::start().await;
    let admin = server.admin();
    let folder = server.exchange().join("gone");
    std::fs::create_dir(&folder).unwrap();
    let wish = json!({"name": "gone", "kind": "local", "folder": folder.to_str().unwrap()});
    let made = admin.post("/remotes").json(&wish).send().await;
    let made = made.is(201).json();
    let path = format!("/remotes/{}/test", made["remote_id"].as_str().unwrap());
    let fine = admin.post(&path).send().await.is(200).json();
    assert_eq!(fine["ok"], true, "{fine}");
    assert_eq!(fine["steps"][0]["error_code"], json!(null));
    std::fs::remove_dir(&folder).unwrap();
    let failed = admin.post(&path).send().await.is(200).json();
    let last = failed["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["ok"], false, "{failed}");
    assert!(last["error_code"].is_string(), "{failed}");
}

#[tokio::test]
async fn what_is_wrong_in_a_body_is_named_by_pointer() {
    let server = Server::start().await;
    let admin = server.admin();
    let sftp = json!({"name": "a", "kind": "sftp", "host": "h", "username": "u"});
    let gcs = json!({"name": "b", "kind": "gcs", "bucket": "b"});
    for (base, field, value) in [
        (&sftp, "port", json!("22")),
        (&sftp, "port", json!(70_000)),
        (&sftp, "host", json!(7)),
        (&sftp, "password", json!(["p"])),
        (&sftp, "kind", json!("gopher")),
        (&sftp, "kind", json!(7)),
        (&gcs, "bucket", json!(null)),
        (&gcs, "ca_pem", json!("no certificate")),
        (&gcs, "concurrency", json!(0)),
    ] {
        let mut wish = base.clone();
        wish[field] = value;
        let answer = admin.post("/remotes").json(&wish).send().await;
        answer.problem(422, "validation_failed");
        let pointer = format!("#/{field}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{wish}");
    }
    for field in ["kind", "name", "host", "username"] {
        let mut wish = sftp.clone();
        wish.as_object_mut().unwrap().remove(field);
        let answer = admin.post("/remotes").json(&wish).send().await;
        answer.problem(422, "validation_failed");
        assert_eq!(answer.json()["errors"][0]["pointer"], format!("#/{field}"));
    }
    let made = admin
        .post("/remotes")
        .json(&sftp)
        .send()
        .await
        .is(201)
        .json();
    let own = format!("/remotes/{}", made["remote_id"].as_str().unwrap());
    let patch = json!({"port": "22"});
    let answer = admin.patch(&own).json(&patch).send().await;
    answer.problem(422, "validation_failed");
    assert_eq!(answer.json()["errors"][0]["pointer"], "#/port");
}

#[tokio::test]
async fn a_folder_of_a_remote_is_looked_into_page_by_page() {
    let server = Server::start().await;
    let admin = server.admin();
    let place = server.exchange().join("looked-into");
    std::fs::create_dir_all(place.join("in/deep")).unwrap();
    for number in 0..5 {
        std::fs::write(place.join(format!("in/{number}.csv")), b"abc").unwrap();
    }
    let wish = json!({"name": "shelf", "kind": "local", "folder": place.to_str().unwrap()});
    let made = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    let own = format!("/remotes/{}", made["remote_id"].as_str().unwrap());
    let root = admin
        .get(&format!("{own}/children"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(root["data"][0]["name"], "in");
    assert_eq!(root["data"][0]["type"], "folder");
    assert_eq!(
        (&root["has_more"], &root["is_cut"]),
        (&json!(false), &json!(false))
    );
    let all = admin.all(&format!("{own}/children?path=/in&limit=2")).await;
    let names: Vec<_> = all
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["0.csv", "1.csv", "2.csv", "3.csv", "4.csv", "deep"]);
    assert_eq!(all[0]["path"], "/in/0.csv");
    assert_eq!(all[0]["size"], 3);
    for (path, status, code) in [
        ("/gone", 404, "folder_not_found"),
        ("/../etc", 400, "invalid_path"),
    ] {
        let refused = admin.get(&format!("{own}/children?path={path}"));
        refused.send().await.problem(status, code);
    }
    let other = server.tenant("bolt").await;
    let foreign = other.get(&format!("{own}/children")).send().await;
    foreign.problem(404, "not_found");
    let web = json!({"name": "web", "kind": "https", "url": "https://feed.example/"});
    let made = admin
        .post("/remotes")
        .json(&web)
        .send()
        .await
        .is(201)
        .json();
    let id = made["remote_id"].as_str().unwrap().to_owned();
    let refused = admin.get(&format!("/remotes/{id}/children")).send().await;
    refused.problem(409, "state_conflict");
}

#[tokio::test]
async fn the_users_of_a_remote_are_told() {
    let server = Server::start().await;
    let admin = server.admin();
    let folder = server.exchange();
    let wish = json!({"name": "shelf", "kind": "local", "folder": folder.to_str().unwrap()});
    let made = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    let own = format!("/remotes/{}", made["remote_id"].as_str().unwrap());
    let path = format!("{own}/used-by");
    let none = admin.get(&path).send().await.is(200).json();
    assert_eq!(none["data"], json!([]));
    admin.upload("/a", b"a").await;
    for destination in ["shelf:/a", "/b"] {
        let wish = json!({"source": "/a", "destination": destination, "start_at": "2999-01-01T00:00:00Z",
            "metadata": {"end": "remote", "remote": "shelf"}});
        admin.post("/transfers").json(&wish).send().await.is(202);
    }
    let hook =
        json!({"url": "https://receiver.example/", "types": ["*"], "filters": {"remote": "shelf"}});
    let made = admin
        .post("/webhooks")
        .json(&hook)
        .send()
        .await
        .is(201)
        .json();
    let users = admin.get(&path).send().await.is(200).json();
    let users = users["data"].as_array().unwrap();
    assert_eq!(users.len(), 2, "{users:?}");
    assert_eq!(users[0]["type"], "transfer");
    assert_eq!(users[0]["summary"], "/a → shelf:/a");
    assert_eq!(users[1]["id"], made["webhook_id"]);
    let other = server.tenant("bolt").await;
    other.get(&path).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_patch_is_merged_and_a_put_replaces() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({
        "name": "lake", "kind": "s3", "region": "r", "bucket": "b", "access_key_id": "i",
        "secret_access_key": "canary-s3-2", "storage_class": "STANDARD_IA", "endpoint": "https://a.example",
    });
    let made = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(made["has_secret_access_key"], true);
    assert_eq!(made["host"], json!(null));
    let own = format!("/remotes/{}", made["remote_id"].as_str().unwrap());
    let patch = json!({"storage_class": null, "name": "sea", "concurrency": 7});
    let changed = admin.patch(&own).json(&patch).send().await.is(200).json();
    assert_eq!(changed["storage_class"], json!(null));
    assert_eq!(
        (&changed["name"], &changed["concurrency"]),
        (&json!("sea"), &json!(7))
    );
    assert_eq!(changed["has_secret_access_key"], true);
    let foreign = admin.patch(&own).json(&json!({"host": "h"})).send().await;
    foreign.problem(422, "unknown_field");
    assert_eq!(foreign.json()["errors"][0]["pointer"], "#/host");
    // Whoever moves it must know its secret.
    for moved in [
        json!({"endpoint": "https://b.example"}),
        json!({"proxy_url": "http://proxy.example:3128"}),
        json!({"ca_pem": "-----BEGIN CERTIFICATE-----"}),
    ] {
        let refused = admin.patch(&own).json(&moved).send().await;
        refused.problem(422, "validation_failed");
        let mut whole = moved;
        whole["secret_access_key"] = json!("canary-s3-3");
        admin.patch(&own).json(&whole).send().await.is(200);
    }
    let mut new = wish.clone();
    new["bucket"] = json!("c");
    let replaced = admin.put(&own).json(&new).send().await.is(200).json();
    assert_eq!(
        (&replaced["bucket"], &replaced["proxy_url"]),
        (&json!("c"), &json!(null))
    );
    assert_eq!(replaced["concurrency"], 4);
    new["secret_access_key"] = json!(null);
    let bare = admin.put(&own).json(&new).send().await;
    bare.problem(422, "validation_failed");
    let folder =
        json!({"name": "x", "kind": "local", "folder": server.exchange().to_str().unwrap()});
    let other_kind = admin.put(&own).json(&folder).send().await;
    other_kind.problem(422, "validation_failed");
}

#[tokio::test]
async fn secrets_that_do_not_go_together_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let sftp = json!({"name": "a", "kind": "sftp", "host": "h", "username": "u"});
    let dav = json!({"name": "a", "kind": "webdav", "url": "https://h/"});
    let azure = json!({"name": "a", "kind": "azure_blob", "account": "a", "container": "c"});
    let gcs = json!({"name": "a", "kind": "gcs", "bucket": "b"});
    let cases = [
        (&sftp, json!({"password": "p", "private_key": "k"})),
        (&sftp, json!({"passphrase": "p"})),
        (&dav, json!({"password": "p"})),
        (&dav, json!({"username": "u"})),
        (
            &dav,
            json!({"username": "u", "password": "p", "bearer_token": "t"}),
        ),
        (&dav, json!({"client_key": "k"})),
        (&dav, json!({"url": "ftp://h/"})),
        (&dav, json!({"url": "https://u:p@h/"})),
        (&azure, json!({})),
        (&azure, json!({"account_key": "k", "sas_token": "sv=1"})),
        (
            &gcs,
            json!({"service_account_key": "{}", "bearer_token": "t"}),
        ),
    ];
    for (base, more) in cases {
        let mut wish = base.clone();
        let fields = more.as_object().unwrap().clone();
        wish.as_object_mut().unwrap().extend(fields);
        let answer = admin.post("/remotes").json(&wish).send().await;
        answer.problem(422, "validation_failed");
    }
}
