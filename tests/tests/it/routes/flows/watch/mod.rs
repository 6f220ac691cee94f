//! Files that appear at remotes start flows.

mod bounds;

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::triggers::runs;
use super::{colleague, completed, make, names};
use crate::kit::{Api, LOOK_EVERY, PATIENCE, Server, Sshd};
use crate::routes::remote_health::{add, dead_port, lead};
use crate::routes::transfers::add_near;

/// A remote `near` with a folder `out`; answers that folder.
async fn out(server: &Server) -> PathBuf {
    add_near(server).await;
    let out = server.exchange().join("out");
    fs::create_dir_all(&out).unwrap();
    out
}

/// A flow that tells of each file at `path`. Nobody looks again by themselves while a test runs.
fn teller(name: &str, path: &str) -> Value {
    json!({"name": name, "triggers": [{"kind": "watch", "path": path, "every": "1d"}],
        "steps": [{"id": "tell", "kind": "notify", "message": "${trigger.source}"}]})
}

fn path_of(flow: &Value, rest: &str) -> String {
    format!("/flows/{}{rest}", flow["flow_id"].as_str().unwrap())
}

/// What the newest look for a flow's first path found, once `is_so` holds for it.
async fn watch_that(api: &Api, flow: &Value, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let found = api.get(&path_of(flow, "/watches")).send().await;
        let found = found.is(200).json()["data"][0].clone();
        if is_so(&found) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "still {found}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Has somebody look now: a flow that is written anew is looked after at once.
async fn look(api: &Api, flow: &Value) -> Value {
    let before = watch_that(api, flow, Value::is_object).await;
    let wish = json!({"enabled": true});
    let call = api.patch(&path_of(flow, "")).json(&wish);
    call.send().await.is(200);
    watch_that(api, flow, |now| now["looked_at"] != before["looked_at"]).await
}

/// What the ended runs of a flow were told of, sorted.
async fn sources(api: &Api, flow: &Value, count: usize) -> Vec<String> {
    let found = runs(api, flow, count).await;
    let told = found.iter().map(|run| {
        completed(run);
        assert_eq!(run["trigger"], "watch");
        run["trigger_facts"]["source"].as_str().unwrap().to_owned()
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_file_at_a_remote_starts_a_flow_that_fetches_it_once() {
    let mut server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    // The letters of patterns are letters in the name of a file.
    for name in ["a.csv", "b[1]*.csv", "c.txt"] {
        fs::write(out.join(name), name).unwrap();
    }
    fs::create_dir(out.join("d.csv")).unwrap();
    let document = json!({"name": "fetch",
        "triggers": [{"kind": "watch", "path": "near:/out/*.csv", "every": "1d"}],
        "steps": [{"id": "fetch", "kind": "transfer", "source": "${trigger.source}", "destination": "/in/"}]});
    let flow = make(&admin, document).await;
    let found = runs(&admin, &flow, 2).await;
    for run in &found {
        completed(run);
        assert_eq!(
            (&run["trigger"], &run["started_by"]),
            (&json!("watch"), &json!(null))
        );
    }
    let of_a = found
        .iter()
        .find(|run| run["trigger_facts"]["file_name"] == "a.csv");
    let facts = &of_a.unwrap()["trigger_facts"];
    assert_eq!(facts["path"], "/out/a.csv");
    assert_eq!(facts["source"], "near:/out/a.csv");
    assert_eq!(
        (&facts["remote"], &facts["size"]),
        (&json!("near"), &json!(5))
    );
    assert!(facts["modified_at"].is_string(), "{facts}");
    assert_eq!(names(&admin, "/in").await, ["a.csv", "b[1]*.csv"]);
    let state = look(&admin, &flow).await;
    assert_eq!(
        (&state["files"], &state["files_waiting"]),
        (&json!(2), &json!(0))
    );
    server.kill();
    server.start_again().await;
    let admin = server.admin();
    look(&admin, &flow).await;
    runs(&admin, &flow, 2).await;
}

#[tokio::test]
async fn another_version_is_new_and_what_is_gone_is_forgotten() {
    let server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_252_443);
    let write = |name: &str, content: &str, at: SystemTime| {
        fs::write(out.join(name), content).unwrap();
        let file = File::options().write(true).open(out.join(name)).unwrap();
        file.set_modified(at).unwrap();
    };
    write("a.csv", "one", at);
    write("b.csv", "one", at);
    let flow = make(&admin, teller("news", "near:/out/*.csv")).await;
    runs(&admin, &flow, 2).await;
    // Another size, and another time.
    write("a.csv", "more", at);
    look(&admin, &flow).await;
    runs(&admin, &flow, 3).await;
    write("a.csv", "same", at + Duration::from_secs(1));
    look(&admin, &flow).await;
    runs(&admin, &flow, 4).await;
    // Written once more as it was: nothing new.
    write("a.csv", "same", at + Duration::from_secs(1));
    look(&admin, &flow).await;
    runs(&admin, &flow, 4).await;
    // Gone, and come back as it was.
    fs::remove_file(out.join("b.csv")).unwrap();
    assert_eq!(look(&admin, &flow).await["files"], 1);
    write("b.csv", "one", at);
    look(&admin, &flow).await;
    let told = sources(&admin, &flow, 5).await;
    assert_eq!(
        told,
        [
            "near:/out/a.csv",
            "near:/out/a.csv",
            "near:/out/a.csv",
            "near:/out/b.csv",
            "near:/out/b.csv"
        ]
    );
}

#[tokio::test]
async fn a_file_settles_before_it_starts_anything() {
    let mut server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    fs::write(out.join("a.csv"), "part").unwrap();
    let mut document = teller("calm", "near:/out/*.csv");
    document["triggers"][0]["settle"] = json!("24h");
    let flow = make(&admin, document.clone()).await;
    let waits = |now: &Value| now["files_waiting"] == 1;
    watch_that(&admin, &flow, waits).await;
    fs::write(out.join("a.csv"), "part by part").unwrap();
    assert!(waits(&look(&admin, &flow).await));
    server.kill();
    server.start_again().await;
    let admin = server.admin();
    assert!(waits(&look(&admin, &flow).await));
    runs(&admin, &flow, 0).await;
    // It is looked again when the file may have settled, not a day later.
    document["triggers"][0]["settle"] = json!("1s");
    let call = admin.put(&path_of(&flow, "")).json(&document);
    call.send().await.is(200);
    let run = runs(&admin, &flow, 1).await.remove(0);
    assert_eq!(run["trigger_facts"]["size"], 12);
}

#[tokio::test]
async fn a_remote_that_fails_starts_nothing_and_loses_nothing() {
    let server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    fs::write(out.join("a.csv"), "a").unwrap();
    let flow = make(&admin, teller("tough", "near:/out/")).await;
    runs(&admin, &flow, 1).await;
    let away = server.exchange().join("away");
    fs::rename(&out, &away).unwrap();
    let state = look(&admin, &flow).await;
    assert_eq!(state["error_code"], "source_not_found", "{state}");
    assert_eq!(state["files"], 1);
    look(&admin, &flow).await;
    fs::write(away.join("b.csv"), "b").unwrap();
    fs::rename(&away, &out).unwrap();
    assert_eq!(look(&admin, &flow).await["error_code"], json!(null));
    let told = sources(&admin, &flow, 2).await;
    assert_eq!(told, ["near:/out/a.csv", "near:/out/b.csv"]);
    // Told once when it begins, and once when it is over.
    let path = format!(
        "operation=flows.watch&subject_id={}",
        flow["flow_id"].as_str().unwrap()
    );
    let told = admin.records_from(2, &path).await;
    let codes: Vec<&Value> = told
        .iter()
        .map(|entry| &entry["data"]["error_code"])
        .collect();
    assert_eq!(codes, [&json!(null), &json!("source_not_found")]);
}

#[tokio::test]
async fn a_remote_that_is_down_is_looked_at_later() {
    let (server, sshd) = (Server::start().await, Sshd::start(""));
    let admin = server.admin();
    let port = dead_port();
    add(&admin, &sshd, port).await;
    for name in ["a.csv", "b.csv", "c.txt"] {
        fs::write(sshd.files().join(name), name).unwrap();
    }
    let document = json!({"name": "fetch",
        "triggers": [{"kind": "watch", "path": "far:*.csv", "every": "1d"}],
        "steps": [{"id": "fetch", "kind": "transfer", "source": "${trigger.source}", "destination": "/in/"}]});
    let flow = make(&admin, document).await;
    let state = watch_that(&admin, &flow, Value::is_object).await;
    assert_eq!(state["error_code"], "remote_unreachable", "{state}");
    lead(port, sshd.port).await;
    assert_eq!(look(&admin, &flow).await["error_code"], json!(null));
    let told = sources(&admin, &flow, 2).await;
    assert_eq!(told, ["far:a.csv", "far:b.csv"]);
    assert_eq!(names(&admin, "/in").await, ["a.csv", "b.csv"]);
    look(&admin, &flow).await;
    runs(&admin, &flow, 2).await;
}

#[tokio::test]
async fn killed_at_any_moment_each_file_has_one_run() {
    const FILES: usize = 24;
    let mut server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    let flow = make(&admin, teller("sure", "near:/out/*.csv")).await;
    watch_that(&admin, &flow, Value::is_object).await;
    for number in 0..FILES {
        fs::write(out.join(format!("{number:02}.csv")), "x").unwrap();
    }
    let wish = json!({"enabled": true});
    admin
        .patch(&path_of(&flow, ""))
        .json(&wish)
        .send()
        .await
        .is(200);
    let all = format!(
        "/flow-runs?limit=50&flow_id={}",
        flow["flow_id"].as_str().unwrap()
    );
    // Killed in the midst of it, a little later each time.
    for round in 1..=4 {
        let begun = Instant::now();
        let admin = server.admin();
        while admin.all(&all).await.len() < round * 4 {
            assert!(begun.elapsed() < PATIENCE, "round {round}");
        }
        server.kill();
        server.start_again().await;
    }
    let admin = server.admin();
    let mut told = sources(&admin, &flow, FILES).await;
    told.dedup();
    assert_eq!(told.len(), FILES);
    look(&admin, &flow).await;
    runs(&admin, &flow, FILES).await;
}

#[tokio::test]
async fn a_watch_looks_with_the_rights_of_its_owner_and_is_seen_by_its_tenant() {
    let server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    fs::write(out.join("a.csv"), "a").unwrap();
    let other = server.tenant("bolt").await;
    let theirs = teller("theirs", "near:/out/*.csv");
    let refused = other.post("/flows").json(&theirs).send().await;
    let problem = refused.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/triggers/0/path");
    assert_eq!(problem["errors"][0]["code"], "unknown_remote");

    let ann = colleague(&admin, "ann", "administrator").await;
    let own = make(&ann, teller("hers", "near:/out/*.csv")).await;
    runs(&admin, &own, 1).await;
    let wish = json!({"roles": ["auditor"]});
    let account = format!("/service-accounts/{}", own["owner"].as_str().unwrap());
    admin.patch(&account).json(&wish).send().await.is(200);
    fs::write(out.join("b.csv"), "b").unwrap();
    let state = look(&admin, &own).await;
    assert_eq!(state["error_code"], "policy_denied", "{state}");
    runs(&admin, &own, 1).await;
    // Switched off, nobody looks; what came meanwhile is found later.
    let off = json!({"enabled": false});
    admin
        .patch(&path_of(&own, ""))
        .json(&off)
        .send()
        .await
        .is(200);
    let wish = json!({"roles": ["administrator"]});
    admin.patch(&account).json(&wish).send().await.is(200);
    fs::write(out.join("c.csv"), "c").unwrap();
    look(&admin, &own).await;
    let told = sources(&admin, &own, 3).await;
    assert_eq!(
        told,
        ["near:/out/a.csv", "near:/out/b.csv", "near:/out/c.csv"]
    );
    let foreign = other.get(&path_of(&own, "/watches")).send().await;
    foreign.problem(404, "not_found");
    let remotes = admin.get("/remotes").send().await.is(200).json();
    let near = remotes["data"][0]["remote_id"].as_str().unwrap();
    let near = format!("/remotes/{near}");
    // What is watched stays as long as it is watched.
    admin.delete(&near).send().await.problem(409, "in_use");
    admin.delete(&path_of(&own, "")).send().await.is(204);
    admin.delete(&near).send().await.is(204);
}

#[tokio::test]
async fn two_watches_of_one_flow_start_one_run_for_a_file_of_both() {
    let server = Server::start().await;
    let admin = server.admin();
    let out = out(&server).await;
    for name in ["a.csv", "a.txt", "b.csv", "b.txt"] {
        fs::write(out.join(name), name).unwrap();
    }
    let mut document = teller("both", "near:/out/*.csv");
    let more = json!({"kind": "watch", "path": "near:/out/a.*", "every": "1d"});
    document["triggers"].as_array_mut().unwrap().push(more);
    let flow = make(&admin, document).await;
    let all = ["near:/out/a.csv", "near:/out/a.txt", "near:/out/b.csv"];
    assert_eq!(sources(&admin, &flow, 3).await, all);
    // One of the two goes, and with it what only it meant: it is new again when it comes back.
    let one = teller("both", "near:/out/*.csv");
    let own = path_of(&flow, "");
    admin.put(&own).json(&one).send().await.is(200);
    look(&admin, &flow).await;
    let states = admin.get(&path_of(&flow, "/watches")).send().await;
    assert_eq!(states.is(200).json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(sources(&admin, &flow, 3).await, all);
}
