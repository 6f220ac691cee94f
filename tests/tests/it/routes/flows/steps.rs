//! What steps do.

use std::fs;

use serde_json::json;

use super::{begin, completed, ended, make, names, paths, start, step};
use crate::kit::{Receiver, Server};
use crate::routes::transfers::add_near;

#[tokio::test]
async fn files_are_copied_tagged_moved_renamed_and_deleted() {
    let server = Server::start().await;
    let admin = server.admin();
    for name in ["a.csv", "b.csv", "c.txt"] {
        admin.upload(&format!("/in/{name}"), name.as_bytes()).await;
    }
    admin.upload("/in/deeper/d.csv", b"d").await;
    let steps = json!([
        {"id": "keep", "kind": "copy", "files": "/in/*.csv", "to": "/archive/${flow.name}/${file.stem}.old"},
        {"id": "mark", "kind": "tag", "files": "/in/*.csv", "add": ["seen"], "metadata": {"run": "${run.id}"}},
        {"id": "shift", "kind": "move", "to": "/desk/"},
        {"id": "name", "kind": "rename", "to": "x-${file.name}"},
        {"id": "rid", "kind": "delete", "files": "${steps.keep.files}"},
    ]);
    let run = ended(&admin, &start(&admin, "tidy", steps).await).await;
    completed(&run);
    assert_eq!(
        paths(&step(&run, "keep")["files"]),
        ["/archive/tidy/a.old", "/archive/tidy/b.old"]
    );
    assert_eq!(
        paths(&step(&run, "name")["files"]),
        ["/desk/x-a.csv", "/desk/x-b.csv"]
    );
    assert_eq!(names(&admin, "/desk").await, ["x-a.csv", "x-b.csv"]);
    assert_eq!(names(&admin, "/in").await, ["c.txt"]);
    assert_eq!(names(&admin, "/archive/tidy").await.len(), 0);
    let moved = admin
        .get("/files/lookup?path=/desk/x-a.csv")
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(moved["tags"], json!(["seen"]));
    assert_eq!(moved["metadata"]["run"], run["run_id"]);
    assert_eq!(step(&run, "rid")["files_in"], 2);
}

#[tokio::test]
async fn bytes_go_to_and_from_remotes() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    fs::create_dir_all(server.exchange().join("out")).unwrap();
    for name in ["a.csv", "b.csv", "c.txt"] {
        fs::write(server.exchange().join("out").join(name), name).unwrap();
    }
    let steps = json!([
        {"id": "fetch", "kind": "transfer", "source": "near:/out/*.csv", "delete_source": true},
        {"id": "put", "kind": "transfer", "destination": "near:/done/${flow.name}/"},
        {"id": "keep", "kind": "copy", "to": "/kept/"},
    ]);
    let run = ended(&admin, &start(&admin, "relay", steps).await).await;
    completed(&run);
    let work = format!("/.flows/{}/fetch/", run["run_id"].as_str().unwrap());
    let fetched = paths(&step(&run, "fetch")["files"]);
    assert_eq!(fetched, [format!("{work}a.csv"), format!("{work}b.csv")]);
    assert_eq!(paths(&step(&run, "put")["files"]), fetched);
    let done = server.exchange().join("done/relay");
    assert_eq!(fs::read_to_string(done.join("b.csv")).unwrap(), "b.csv");
    assert!(!server.exchange().join("out/a.csv").exists());
    assert!(server.exchange().join("out/c.txt").exists());
    assert_eq!(names(&admin, "/kept").await, ["a.csv", "b.csv"]);
    let path = format!(
        "/transfers/{}",
        step(&run, "fetch")["transfer_id"].as_str().unwrap()
    );
    let transfer = admin.get(&path).send().await.is(200).json();
    assert_eq!(transfer["files_total"], 2);
}

#[tokio::test]
async fn a_fault_at_a_remote_fails_the_run_or_is_passed_over() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    admin.upload("/in/a.csv", b"a").await;
    let steps = json!([{"id": "fetch", "kind": "transfer", "source": "near:/none.csv", "destination": "/x/"}]);
    let run = ended(&admin, &start(&admin, "strict", steps).await).await;
    assert_eq!(run["state"], "failed", "{run}");
    assert_eq!(run["error_code"], "source_not_found", "{run}");
    let steps = json!([
        {"id": "fetch", "kind": "transfer", "source": "near:/none.csv", "destination": "/x/", "on_error": "continue"},
        {"id": "which", "kind": "branch", "if": "steps.fetch.outcome == \"failed\" and steps.fetch.error matches \"source_*\"",
            "then": [{"id": "tell", "kind": "notify", "message": "nothing: ${steps.fetch.error}"}],
            "else": [{"id": "odd", "kind": "fail", "message": "odd"}]},
    ]);
    let run = ended(&admin, &start(&admin, "mild", steps).await).await;
    completed(&run);
    assert_eq!(step(&run, "tell")["note"], "nothing: source_not_found");
    let steps = json!([
        {"id": "fetch", "kind": "transfer", "source": "near:/*.none", "destination": "/x/", "if_empty": "end"},
        {"id": "never", "kind": "fail", "message": "not here"},
    ]);
    let run = ended(&admin, &start(&admin, "idle", steps).await).await;
    completed(&run);
    assert_eq!(run["steps"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn each_file_goes_its_own_way() {
    let server = Server::start().await;
    let admin = server.admin();
    for name in ["a.csv", "b.txt", "c.csv"] {
        admin.upload(&format!("/in/{name}"), name.as_bytes()).await;
    }
    let inner = json!([
        {"id": "kind", "kind": "branch", "if": "file.extension == \"csv\" and file.size < 1KiB",
            "then": [{"id": "good", "kind": "move", "to": "/good/"}],
            "else": [{"id": "bad", "kind": "fail", "message": "${file.name} is no table"}]},
    ]);
    let steps = |most: u32| json!([{"id": "each", "kind": "for_each", "files": "/in/*", "max_failures": most, "steps": inner}]);
    let run = ended(&admin, &start(&admin, "lenient", steps(1)).await).await;
    completed(&run);
    assert_eq!(paths(&run["result"]), ["/good/a.csv", "/good/c.csv"]);
    assert_eq!(
        step(&run, "each.1.bad")["error_message"],
        "b.txt is no table"
    );
    let run = ended(&admin, &start(&admin, "stern", steps(0)).await).await;
    assert_eq!(run["state"], "failed");
    assert_eq!(run["error_code"], "flow_failed");
}

#[tokio::test]
async fn a_notice_is_an_event_or_goes_to_one_webhook() {
    let server = Server::start().await;
    let admin = server.admin();
    let (all, one) = (Receiver::start(), Receiver::start());
    let wish = json!({"url": all.url, "types": ["flow.*"]});
    admin.post("/webhooks").json(&wish).send().await.is(201);
    let wish = json!({"url": one.url, "types": ["ping"]});
    let only = admin
        .post("/webhooks")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    admin.upload("/in/a.csv", b"a").await;
    let document = json!({"name": "tell", "params": {"who": {"default": "all"}}, "steps": [
        {"id": "loud", "kind": "notify", "files": "/in/*", "message": "${files.count} for ${params.who}: ${files.names}",
            "fields": {"bytes": "${files.bytes}"}},
        {"id": "soft", "kind": "notify", "message": "only you", "webhook": only["webhook_id"]},
    ]});
    let flow = make(&admin, document).await;
    let run = begin(&admin, &flow, &json!({"params": {"who": "Ann"}})).await;
    completed(&ended(&admin, &run).await);
    let received = all.wait_for(3).await;
    // Deliveries of one webhook may overtake each other.
    let of = |kind: &str| {
        received
            .iter()
            .map(crate::kit::Received::json)
            .find(|body| body["type"] == kind)
    };
    assert!(of("flow.run_started").is_some() && of("flow.run_completed").is_some());
    let told = of("flow.notified").unwrap();
    assert_eq!(told["data"]["message"], "1 for Ann: a.csv");
    assert_eq!(told["data"]["fields"]["bytes"], "1");
    assert_eq!(told["data"]["run_id"], json!(run));
    let soft = one.wait_for(1).await.remove(0).json();
    assert_eq!(soft["type"], "flow.notified");
    assert_eq!(soft["data"]["message"], "only you");
}
