//! `/settings`.

use serde_json::json;

use crate::kit::{Form, Server};

#[tokio::test]
async fn a_setting_is_changed_and_goes_back_to_its_default() {
    let server = Server::start().await;
    let admin = server.admin();
    let settings = admin.get("/settings").send().await.is(200).json();
    assert_eq!(settings["name_rule"], "unicode");
    let changed = admin
        .patch("/settings")
        .json(&json!({"trash_seconds": 60}))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(changed["trash_seconds"], 60);
    let changed = admin
        .patch("/settings")
        .json(&json!({"trash_seconds": null}))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(changed["trash_seconds"], settings["trash_seconds"]);
    admin
        .patch("/settings")
        .json(&json!({"colour": "red"}))
        .send()
        .await
        .problem(422, "unknown_field");
}

#[tokio::test]
async fn portable_names_are_ascii() {
    let server = Server::start().await;
    let admin = server.admin();
    let send = |name: &'static str| {
        Form::new()
            .text("destination", "n")
            .file(name, b"x")
            .upload(&admin)
    };
    send("früher.txt").await.is(201);
    admin
        .patch("/settings")
        .json(&json!({"name_rule": "portable"}))
        .send()
        .await
        .is(200);
    send("später.txt").await.problem(422, "name_not_allowed");
    send("with space.txt")
        .await
        .problem(422, "name_not_allowed");
    send("a..b-c_D.9.txt").await.is(201);
}
