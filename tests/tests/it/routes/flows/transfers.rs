//! What tells of a transfer that a run asked for names the run.

use std::fs;

use serde_json::json;

use super::{completed, ended, start, step};
use crate::kit::{Receiver, Server};
use crate::routes::transfers::add_near;

#[tokio::test]
async fn a_transfer_of_a_run_names_it_wherever_it_is_told() {
    let server = Server::start().await;
    let admin = server.admin();
    add_near(&server).await;
    let receiver = Receiver::start();
    let wish = json!({"url": receiver.url, "types": ["transfer.completed"], "payload": "full"});
    admin.post("/webhooks").json(&wish).send().await.is(201);
    for name in ["a.csv", "b.csv"] {
        fs::write(server.exchange().join(name), name).unwrap();
    }
    let steps = json!([
        {"id": "fetch", "kind": "transfer", "source": "near:/*.csv", "destination": "/in/"},
    ]);
    let run = ended(&admin, &start(&admin, "fetch", steps).await).await;
    completed(&run);
    let id = step(&run, "fetch")["transfer_id"].as_str().unwrap();
    let transfer = format!("/transfers/{id}");
    let shown = admin.get(&transfer).send().await.is(200).json();
    assert_eq!(shown["flow_run_id"], run["run_id"]);
    let parts = admin.all(&format!("/transfers?parent={id}&limit=50")).await;
    assert_eq!(parts.len(), 2);
    for part in parts {
        assert_eq!(part["flow_run_id"], run["run_id"], "{part}");
    }
    let told = receiver.wait_for(1).await.remove(0).json();
    assert_eq!(told["data"]["flow_run_id"], run["run_id"], "{told}");
    assert_eq!(told["data"]["object"], shown);
    let events = admin.get("/events?type=transfer.completed").send().await;
    let told = events.is(200).json()["data"][0].clone();
    assert_eq!(told["data"]["flow_run_id"], run["run_id"], "{told}");
    let told = admin
        .records("operation=transfers.complete")
        .await
        .remove(0);
    assert_eq!(told["data"]["flow_run_id"], run["run_id"], "{told}");

    // One that nobody's flow asked for.
    fs::write(server.exchange().join("c.txt"), "c").unwrap();
    let own = admin.transfer("near:/c.txt", "/in/c.txt").await;
    let own = format!("/transfers/{}", own["transfer_id"].as_str().unwrap());
    let shown = admin.get(&own).send().await.is(200).json();
    assert_eq!(shown["flow_run_id"], json!(null));
}
