//! How remotes fare: `/remotes/{remote_id}/health`, the circuit, the watch, windows, key pairs.

use std::fs;
use std::net::TcpListener as PortOf;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::kit::{Api, LOOK_EVERY, PATIENCE, Peer, Received, Receiver, Server, Sshd};

/// A port where nobody answers, until somebody is led there.
pub(super) fn dead_port() -> u16 {
    let held = PortOf::bind("127.0.0.1:0").unwrap();
    held.local_addr().unwrap().port()
}

/// Leads from a port to another.
pub(super) async fn lead(from: u16, to: u16) {
    let listener = TcpListener::bind(("127.0.0.1", from)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
}

/// Makes a remote at `sshd` by way of `port`; answers its path.
pub(super) async fn add(admin: &Api, sshd: &Sshd, port: u16) -> String {
    let wish = json!({
        "name": "far", "kind": "sftp", "host": "127.0.0.1", "port": port, "username": sshd.user,
        "private_key": sshd.key("ed25519"), "host_key": sshd.host_fingerprint(),
        "base_path": sshd.files().to_str().unwrap(),
    });
    let made = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    format!("/remotes/{}", made["remote_id"].as_str().unwrap())
}

async fn submit(admin: &Api, destination: &str) -> String {
    let wish = json!({"source": "/a", "destination": destination, "retry": {"max_attempts": 1}});
    let made = admin
        .post("/transfers")
        .json(&wish)
        .send()
        .await
        .is(202)
        .json();
    made["transfer_id"].as_str().unwrap().to_owned()
}

/// Waits for what stands at `path` to be as wanted.
async fn until(admin: &Api, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let shown = admin.get(path).send().await.is(200).json();
        if wanted(&shown) {
            return shown;
        }
        assert!(begun.elapsed() < PATIENCE, "{shown}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test]
async fn a_remote_that_fails_in_a_row_is_left_alone_until_it_is_back() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let port = dead_port();
    let own = add(&admin, &sshd, port).await;
    let health = format!("{own}/health");
    let fresh = admin.get(&health).send().await.is(200).json();
    assert_eq!(
        (&fresh["state"], &fresh["circuit"]),
        (&json!("unknown"), &json!("closed"))
    );
    let receiver = Receiver::start();
    let hook = json!({"url": receiver.url, "types": ["remote.*"], "filters": {"remote": "far"}});
    admin.post("/webhooks").json(&hook).send().await.is(201);
    admin.upload("/a", b"a").await;
    for number in 0..5 {
        let id = submit(&admin, &format!("far:/{number}")).await;
        let end = admin.end_of_transfer(&id).await;
        assert_eq!(end["error_code"], "remote_unreachable", "{end}");
    }
    let open = until(&admin, &health, |health| health["circuit"] == "open").await;
    assert_eq!(open["state"], "unhealthy");
    assert_eq!(open["failures"], 5);
    assert_eq!(open["error_code"], "remote_unreachable");
    // The next one waits, and this is no try.
    let waiting = format!("/transfers/{}", submit(&admin, "far:/b").await);
    let held = until(&admin, &waiting, |held| held["paused_reason"] == "remote").await;
    assert_eq!(held["state"], "queued");
    assert_eq!(held["attempt"], 0);
    assert_eq!(held["next_attempt_at"], open["waits_until"]);
    // It is back, and somebody who knows says so.
    lead(port, sshd.port).await;
    let reset = format!("{own}/reset-circuit");
    let closed = admin.post(&reset).send().await.is(200).json();
    assert_eq!(closed["circuit"], "closed");
    until(&admin, &waiting, |held| held["state"] == "completed").await;
    assert_eq!(fs::read(sshd.files().join("b")).unwrap(), b"a");
    let well = until(&admin, &health, |health| health["state"] == "healthy").await;
    assert_eq!(
        (&well["error_code"], &well["failures"]),
        (&json!(null), &json!(0))
    );
    let told: Vec<_> = receiver
        .wait_for(2)
        .await
        .iter()
        .map(Received::json)
        .collect();
    let (fell, back) = (&told[0], &told[1]);
    assert_eq!(fell["type"], "remote.unhealthy");
    assert_eq!(fell["data"]["remote"], "far");
    assert_eq!(fell["data"]["circuit"], "open");
    assert_eq!(back["type"], "remote.recovered");
    assert_eq!(back["data"]["error_code"], "remote_unreachable");
    let records = admin.records("operation=remotes.reset_circuit").await;
    assert_eq!(records.len(), 1);
}

#[tokio::test]
async fn another_address_is_tried_anew() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let own = add(&admin, &sshd, dead_port()).await;
    admin.upload("/a", b"a").await;
    for number in 0..5 {
        let id = submit(&admin, &format!("far:/{number}")).await;
        admin.end_of_transfer(&id).await;
    }
    let waiting = format!("/transfers/{}", submit(&admin, "far:/b").await);
    until(&admin, &waiting, |held| held["paused_reason"] == "remote").await;
    let moved = json!({
        "port": sshd.port, "private_key": sshd.key("ed25519"), "host_key": sshd.host_fingerprint(),
    });
    admin.patch(&own).json(&moved).send().await.is(200);
    until(&admin, &waiting, |held| held["state"] == "completed").await;
}

#[tokio::test]
async fn who_may_not_see_a_remote_learns_nothing_of_its_health() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let own = add(&admin, &sshd, sshd.port).await;
    let other = server.tenant("bolt").await;
    let (health, reset) = (format!("{own}/health"), format!("{own}/reset-circuit"));
    let key = format!("{own}/ssh-key");
    other.get(&health).send().await.problem(404, "not_found");
    for path in [&reset, &key] {
        let answer = other.post(path).json(&json!({})).send().await;
        answer.problem(404, "not_found");
    }
    let reader = admin.scoped(&["remotes:read"]).await;
    reader.get(&health).send().await.is(200);
    for path in [&reset, &key] {
        let answer = reader.post(path).json(&json!({})).send().await;
        answer.problem(403, "insufficient_scope");
    }
}

#[tokio::test]
async fn a_remote_is_looked_at_and_its_certificate_read() {
    let server = Server::start().await;
    let admin = server.admin();
    let store = Peer::gcs().await;
    let wish = json!({
        "name": "depot", "kind": "gcs", "endpoint": store.https(), "ca_pem": store.ca_pem(), "bucket": "box",
        "bearer_token": crate::kit::GCS_TOKEN, "health_check_seconds": 60,
    });
    let made = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(made["health_check_seconds"], 60);
    let own = format!("/remotes/{}", made["remote_id"].as_str().unwrap());
    let health = format!("{own}/health");
    let seen = until(&admin, &health, |seen| seen["checked_at"].is_string()).await;
    assert_eq!(seen["state"], "healthy", "{seen}");
    let steps = seen["steps"].as_array().unwrap();
    let names: Vec<_> = steps
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["resolve", "sign_in", "list"],
        "a look writes nothing"
    );
    assert_eq!(seen["certificates"][0]["owner"], "server");
    assert!(seen["certificates"][0]["expires_at"].is_string());
    for (patch, status) in [
        (json!({"health_check_seconds": 5}), 422),
        (json!({"health_check_seconds": null}), 200),
    ] {
        let answer = admin.patch(&own).json(&patch).send().await;
        assert_eq!(answer.status, status, "{patch}");
    }
    admin.delete(&own).send().await.is(204);
}

#[tokio::test]
async fn a_changed_host_key_is_noticed_by_the_watch() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let own = add(&admin, &sshd, sshd.port).await;
    let other = "SHA256:uNiVztksCsDhcc0u9e8BrMnTs1UHjPP9mMA2Y3n1lqI";
    let patch = json!({"host_key": other, "health_check_seconds": 60});
    admin.patch(&own).json(&patch).send().await.is(200);
    let health = format!("{own}/health");
    let seen = until(&admin, &health, |seen| seen["state"] == "unhealthy").await;
    assert_eq!(seen["error_code"], "host_key_changed", "{seen}");
    assert_eq!(seen["circuit"], "closed");
    let is_told = |event: &Value| {
        event["type"] == "remote.unhealthy" && event["data"]["error_code"] == "host_key_changed"
    };
    let told = |feed: &Value| feed["data"].as_array().unwrap().iter().any(is_told);
    until(&admin, "/events?after=0&limit=500", told).await;
}

#[tokio::test]
async fn nothing_moves_while_a_window_is_closed() {
    let server = Server::start().await;
    let admin = server.admin();
    let folder = server.exchange().join("by-night");
    fs::create_dir(&folder).unwrap();
    let closed = json!({"from": "00:00", "to": "24:00", "bytes_per_second": 0});
    let wish = json!({
        "name": "shelf", "kind": "local", "folder": folder.to_str().unwrap(), "time_zone": "Europe/Berlin",
        "windows": [closed],
    });
    let made = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(made["windows"][0]["from"], "00:00");
    assert_eq!(made["time_zone"], "Europe/Berlin");
    let own = format!("/remotes/{}", made["remote_id"].as_str().unwrap());
    admin.upload("/a", b"a").await;
    let waiting = format!("/transfers/{}", submit(&admin, "shelf:/a").await);
    let held = until(&admin, &waiting, |held| held["paused_reason"] == "window").await;
    assert_eq!(
        (&held["state"], &held["attempt"]),
        (&json!("queued"), &json!(0))
    );
    let slow = json!({"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00",
        "bytes_per_second": 1_000_000});
    let patch = json!({"windows": [slow]});
    let changed = admin.patch(&own).json(&patch).send().await.is(200).json();
    assert_eq!(changed["time_zone"], "Europe/Berlin");
    until(&admin, &waiting, |held| held["state"] == "completed").await;
    for (patch, pointer) in [
        (json!({"time_zone": "Mars/Olympus"}), "#/time_zone"),
        (
            json!({"windows": [{"from": "8", "to": "9:00", "bytes_per_second": 0}]}),
            "#/windows/0/from",
        ),
        (
            json!({"windows": [{"from": "08:00", "to": "09:00", "bytes_per_second": 5}]}),
            "#/windows/0/bytes_per_second",
        ),
        (
            json!({"windows": [{"days": ["someday"], "from": "08:00", "to": "09:00", "bytes_per_second": 0}]}),
            "#/windows/0/days",
        ),
        (
            json!({"windows": [{"from": "08:00", "bytes_per_second": 0}]}),
            "#/windows/0/to",
        ),
        (json!({"windows": "never"}), "#/windows"),
    ] {
        let refused = admin.patch(&own).json(&patch).send().await;
        refused.problem(422, "validation_failed");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{patch}");
    }
    let patch = json!({"windows": null, "time_zone": null});
    let free = admin.patch(&own).json(&patch).send().await.is(200).json();
    assert_eq!(
        (&free["windows"], &free["time_zone"]),
        (&json!([]), &json!("UTC"))
    );
}

#[tokio::test]
async fn a_key_pair_is_made_here_and_the_old_way_goes_on_until_it_is_known() {
    let server = Server::start().await;
    let admin = server.admin();
    let sshd = Sshd::start("");
    let own = add(&admin, &sshd, sshd.port).await;
    let path = format!("{own}/ssh-key");
    let keyed = admin.post(&path).send().await.is(200).json();
    assert_eq!(keyed["has_previous_private_key"], true);
    let line = keyed["ssh_keys"][0]["public_key"].as_str().unwrap();
    assert!(
        line.starts_with("ssh-ed25519 ") && line.ends_with(" bailee-far"),
        "{line}"
    );
    // The partner does not know it yet: the old one still opens.
    admin.upload("/a", b"a").await;
    assert_eq!(
        admin.transfer("/a", "far:/before").await["state"],
        "completed"
    );
    sshd.authorize_only(line);
    assert_eq!(
        admin.transfer("/a", "far:/after").await["state"],
        "completed"
    );
    let patch = json!({"previous_private_key": null});
    let alone = admin.patch(&own).json(&patch).send().await.is(200).json();
    assert_eq!(alone["has_previous_private_key"], false);
    assert_eq!(
        admin.transfer("/a", "far:/alone").await["state"],
        "completed"
    );
    // Another rotation keeps both halves in view.
    let again = admin.post(&path).json(&json!({"algorithm": "ed25519"}));
    let again = again.send().await.is(200).json();
    assert_eq!(again["ssh_keys"].as_array().unwrap().len(), 2);
    assert_eq!(again["ssh_keys"][1]["public_key"], line);
    assert_eq!(
        admin.transfer("/a", "far:/again").await["state"],
        "completed"
    );
    let wrong = admin.post(&path).json(&json!({"algorithm": "dsa"}));
    let wrong = wrong.send().await;
    wrong.problem(422, "validation_failed");
    assert_eq!(wrong.json()["errors"][0]["pointer"], "#/algorithm");
    assert!(!again.to_string().contains("PRIVATE") && !server.log().contains("PRIVATE"));
    let records = admin.records_from(2, "operation=remotes.new_ssh_key").await;
    assert_eq!(records.len(), 2);
    // A password of somebody's own takes the place of all keys.
    let patch = json!({"password": "pw"});
    let other = admin.patch(&own).json(&patch).send().await.is(200).json();
    assert_eq!(
        (&other["has_private_key"], &other["ssh_keys"]),
        (&json!(false), &json!([]))
    );
    let folder = server.exchange();
    let wish = json!({"name": "shelf", "kind": "local", "folder": folder.to_str().unwrap()});
    let made = admin
        .post("/remotes")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    let path = format!("/remotes/{}/ssh-key", made["remote_id"].as_str().unwrap());
    admin
        .post(&path)
        .send()
        .await
        .problem(409, "state_conflict");
}
